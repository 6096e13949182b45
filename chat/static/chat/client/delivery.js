import { CLOSE, ERROR, LOCK_PATIENCE_MS, STATUS, VERB } from "./constants.js";
import { backoffMs } from "./backoff.js";

const NO_LOCKS = { request: async (_name, _options, act) => act() };

/**
 * Takes the outbox to the server: in order, one at a time, the same nonce until there is an answer. Of a user's tabs one
 * delivers at a time; where that cannot be arranged both do, and the nonce makes it harmless.
 */
export class Delivery {
  #connection;
  #outbox;
  #locks;
  #clock;
  #random;
  #isDelivering = false;

  constructor({ connection, outbox, clock, locks = NO_LOCKS, random = Math.random }) {
    this.#connection = connection;
    this.#outbox = outbox;
    this.#locks = locks;
    this.#clock = clock;
    this.#random = random;
    outbox.on("change", () => this.deliver());
  }

  /** Delivers whatever waits, as long as there is a line. */
  async deliver() {
    if (this.#isDelivering || !this.#canDeliver()) return;
    this.#isDelivering = true;
    const endTurn = await this.#takeTurn();
    await this.#outbox.refresh();
    await this.#deliverAll();
    endTurn();
    this.#isDelivering = false;
    this.deliver();
  }

  #canDeliver() {
    return this.#connection.isOnline && this.#next() !== undefined;
  }

  #next() {
    return this.#outbox.entries.find((entry) => entry.status === STATUS.SENDING);
  }

  async #deliverAll() {
    for (let attempt = 0; this.#canDeliver(); attempt++) {
      const retryAfterMs = await this.#send(this.#next(), attempt);
      if (retryAfterMs === null) attempt = -1;
      else await this.#pause(retryAfterMs);
    }
  }

  /** Returns how long to wait before this one is tried again, or null when it is settled. */
  async #send({ nonce, ...entry }, attempt) {
    try {
      const ack = await this.#connection.request({ nonce, ...frameOf(entry) });
      await this.#outbox.acknowledge(nonce, ack);
    } catch (error) {
      if (isNobodysFault(error)) return 0;
      if (isForLater(error)) return error.retryAfterMs ?? backoffMs(attempt, this.#random);
      await this.#outbox.fail(nonce, reasonOf(error));
    }
    return null;
  }

  #pause(ms) {
    return new Promise((resume) => this.#clock.setTimeout(resume, ms));
  }

  /** A tab that holds the lock and sleeps must not silence the others, so patience has an end. */
  #takeTurn() {
    const patience = new AbortController();
    const timer = this.#clock.setTimeout(() => patience.abort(), LOCK_PATIENCE_MS);
    return new Promise((start) => {
      const holdUntilEnd = () => new Promise(start);
      const turn = this.#locks.request(`chatsite ${this.#outbox.user}`, { signal: patience.signal }, holdUntilEnd);
      turn.catch(() => start(() => {}));
    }).finally(() => this.#clock.clearTimeout(timer));
  }
}

/** What a verb does not need is undefined, and does not travel. */
function frameOf({ verb = VERB.POST, room, seq, text, emoji, on }) {
  return { type: verb, room, seq, text, emoji, on };
}

function isNobodysFault({ code, closeCode }) {
  return code === ERROR.TIMEOUT || (code === ERROR.DISCONNECTED && closeCode !== CLOSE.TOO_BIG);
}

function isForLater({ code }) {
  return code === ERROR.RATE_LIMITED || code === ERROR.UNAVAILABLE;
}

function reasonOf({ code, closeCode, message }) {
  if (closeCode === CLOSE.TOO_BIG) return { code: ERROR.TOO_LONG, message };
  return { code, message };
}
