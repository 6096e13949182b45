import { READ_EVERY_MS, VERB } from "./constants.js";

/** Tells the server how far one has read: never backwards, at most once a second per room, the latest always. */
export class Reading {
  #clock;
  #send;
  #rooms = new Map();

  constructor({ clock, send }) {
    this.#clock = clock;
    this.#send = send;
  }

  /** This device, or another one, has read up to here. */
  known(room, seq) {
    const reading = this.#of(room);
    reading.toldSeq = Math.max(reading.toldSeq, seq);
  }

  seen(room, seq) {
    const reading = this.#of(room);
    reading.seenSeq = Math.max(reading.seenSeq, seq);
    this.#tell(room, reading);
  }

  /** There is a line again: says what could not be said. */
  resume() {
    this.#rooms.forEach((reading, room) => this.#tell(room, reading));
  }

  #tell(room, reading) {
    if (reading.timer !== null || reading.seenSeq <= reading.toldSeq) return;
    if (!this.#send({ type: VERB.READ, room, seq: reading.seenSeq })) return;
    reading.toldSeq = reading.seenSeq;
    reading.timer = this.#clock.setTimeout(() => {
      reading.timer = null;
      this.#tell(room, reading);
    }, READ_EVERY_MS);
  }

  #of(room) {
    if (!this.#rooms.has(room)) this.#rooms.set(room, { seenSeq: 0, toldSeq: 0, timer: null });
    return this.#rooms.get(room);
  }
}
