import { BUFFER_LIMIT_BYTES, BUFFER_POLL_MS } from "./constants.js";

/** Writes to one socket at a time, and waits while the browser still holds too much that was not sent. */
export class Writer {
  #clock;
  #socket = null;
  #queue = [];
  #timer = null;

  constructor({ clock }) {
    this.#clock = clock;
  }

  attach(socket) {
    this.#socket = socket;
  }

  /** What was not written belonged to the old socket, and goes with it. */
  detach() {
    this.#clock.clearTimeout(this.#timer);
    this.#socket = null;
    this.#queue = [];
  }

  write(data) {
    this.#queue.push(data);
    this.#flush();
  }

  #flush() {
    this.#clock.clearTimeout(this.#timer);
    while (this.#queue.length > 0 && this.#socket.bufferedAmount < BUFFER_LIMIT_BYTES) {
      this.#socket.send(this.#queue.shift());
    }
    if (this.#queue.length > 0) this.#timer = this.#clock.setTimeout(() => this.#flush(), BUFFER_POLL_MS);
  }
}
