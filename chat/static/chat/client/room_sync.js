import { ERROR, VERB } from "./constants.js";
import { backoffMs } from "./backoff.js";

const KEPT_OUT_MS = 5_000;

/** Keeps one room up to date: asks what the room wants asked, as often as it takes, and no faster than it helps. */
export class Joining {
  #connection;
  #room;
  #clock;
  #random;
  #refused;
  #timer = null;
  #attempt = 0;
  #askedAt;
  #isEnded = false;

  /** `refused` is called with the error's code when the room will not have us. */
  constructor({ connection, room, clock, random, refused }) {
    this.#connection = connection;
    this.#room = room;
    this.#clock = clock;
    this.#random = random;
    this.#refused = refused;
  }

  /** A new line: what was asked on the old one is forgotten. */
  restart() {
    this.#stopWaiting();
    this.#attempt = 0;
    this.#askedAt = undefined;
    this.#room.disconnected();
    this.catchUp();
  }

  /** The room may have a hole to fill. Who asks twice from the same position did not get on, and waits. */
  catchUp() {
    if (this.#timer !== null || !this.#mayAsk()) return;
    if (this.#room.version !== this.#askedAt) this.#askFromHere();
    else this.#askAfter(backoffMs(this.#attempt++, this.#random));
  }

  end() {
    this.#isEnded = true;
    this.#clock.clearTimeout(this.#timer);
  }

  /** The room will not have us, or not any more. A ban may be lifted: asks again, quietly and seldom. */
  keptOut() {
    this.#stopWaiting();
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      this.#room.askAgain();
      if (this.#mayAsk()) this.#ask();
    }, KEPT_OUT_MS + this.#random() * KEPT_OUT_MS);
  }

  #stopWaiting() {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #mayAsk() {
    return this.#connection.isOnline && this.#room.wantsJoin && !this.#isEnded;
  }

  #askFromHere() {
    this.#attempt = 0;
    this.#ask();
  }

  #askAfter(delayMs) {
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      if (this.#mayAsk()) this.#ask();
    }, delayMs);
  }

  async #ask() {
    const asked = this.#room.nextJoin();
    this.#askedAt = this.#room.version;
    try {
      await this.#connection.request({ type: VERB.JOIN, ...asked });
    } catch (error) {
      this.#failed(asked, error);
    }
  }

  #failed(asked, { code, retryAfterMs }) {
    if (this.#isEnded) return;
    if (code === ERROR.FORBIDDEN || code === ERROR.NOT_FOUND) return this.#refused(code);
    this.#room.joinFailed(asked);
    if (retryAfterMs === null) this.catchUp();
    else if (this.#timer === null) this.#askAfter(retryAfterMs);
  }
}
