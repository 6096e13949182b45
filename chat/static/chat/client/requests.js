import { ERROR, EVENT, TOLD_CAP_MS } from "./constants.js";

const MS_PER_S = 1000;
const UNREAD = [ERROR.BAD_JSON, ERROR.TOO_LONG];

/** Why a request has no good answer: the server's error, or `disconnected`, or `timeout`. */
export class RequestError extends Error {
  constructor({ code, message = code, retryAfterMs = null, closeCode = null }) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.closeCode = closeCode;
  }
}

/** Requests under way: gives each its id, and each answer to the one who asked. */
export class Requests {
  #clock;
  #waiting = new Map();
  #lastId = 0;

  constructor({ clock }) {
    this.#clock = clock;
  }

  /** Sends the frame with an id of its own; the promise is the answer. */
  open(frame, send, timeoutMs) {
    const id = String(++this.#lastId);
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimeout(() => this.#fail(id, { code: ERROR.TIMEOUT }), timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      send({ ...frame, id });
    });
  }

  /** The server does not know the id of what it could not read: where one request waits, it is that. */
  settle(frame) {
    const request = this.#take(isUnread(frame) ? this.#onlyId() : frame.id);
    if (!request) return;
    if (frame.type === EVENT.ERROR) request.reject(new RequestError(refusalOf(frame)));
    else request.resolve(frame);
  }

  #onlyId() {
    const [id, another] = this.#waiting.keys();
    return another === undefined ? id : undefined;
  }

  failAll(reason) {
    for (const id of [...this.#waiting.keys()]) this.#fail(id, reason);
  }

  #fail(id, reason) {
    this.#take(id)?.reject(new RequestError(reason));
  }

  #take(id) {
    const request = this.#waiting.get(id);
    this.#waiting.delete(id);
    this.#clock.clearTimeout(request?.timer);
    return request;
  }
}

function isUnread({ type, id, code }) {
  return type === EVENT.ERROR && id === undefined && UNREAD.includes(code);
}

function refusalOf({ code, message, retry_after: retryAfterS }) {
  return { code, message, retryAfterMs: retryAfterS === undefined ? null : Math.min(retryAfterS * MS_PER_S, TOLD_CAP_MS) };
}
