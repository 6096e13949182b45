import { READ_EVERY_MS, READ_SPREAD_MS, VERB } from "./constants.js";

/**
 * Tells the server how far one has read: never backwards, at most once a second per room, the latest always.
 *
 * Everybody in a room sees a message at the same moment, and says so. The next time each of them waits a little longer or
 * less, so that thousands do not go on speaking at once.
 */
export class Reading {
  #clock;
  #random;
  #send;
  #rooms = new Map();

  constructor({ clock, random, send }) {
    this.#clock = clock;
    this.#random = random;
    this.#send = send;
  }

  /** This device, or another one, has read up to here. */
  known(room, ordinal) {
    const reading = this.#of(room);
    reading.told = Math.max(reading.told, ordinal);
  }

  /** Positions are ordinals; the server is told the place of the message, and knows its ordinal. */
  seen(room, { seq, ordinal }) {
    const reading = this.#of(room);
    if (ordinal > reading.seen.ordinal) reading.seen = { seq, ordinal };
    this.#tell(room, reading);
  }

  ordinal(room) {
    const { told, seen } = this.#of(room);
    return Math.max(told, seen.ordinal);
  }

  /** There is a line again: says what could not be said. */
  resume() {
    this.#rooms.forEach((reading, room) => this.#tell(room, reading));
  }

  #tell(room, reading) {
    if (reading.timer !== null || reading.seen.ordinal <= reading.told) return;
    if (!this.#send({ type: VERB.READ, room, seq: reading.seen.seq })) return;
    reading.told = reading.seen.ordinal;
    reading.timer = this.#clock.setTimeout(() => {
      reading.timer = null;
      this.#tell(room, reading);
    }, READ_EVERY_MS + this.#random() * READ_SPREAD_MS);
  }

  #of(room) {
    if (!this.#rooms.has(room)) this.#rooms.set(room, { seen: { seq: 0, ordinal: 0 }, told: 0, timer: null });
    return this.#rooms.get(room);
  }
}
