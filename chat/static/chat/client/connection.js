import { Bus } from "./bus.js";
import { backoffMs } from "./backoff.js";
import { Heartbeat } from "./heartbeat.js";
import { Requests, RequestError } from "./requests.js";
import { Writer } from "./writer.js";
import { decode, encode } from "./protocol.js";
import {
  BACKOFF_CAP_MS,
  BACKOFF_CAP_VISIBLE_MS,
  CLOSE,
  CONNECT_PATIENCE_MS,
  CONNECT_TIMEOUT_MS,
  ERROR,
  EVENT,
  HEARTBEAT_INTERVAL_MS,
  HEARTBEAT_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  STABLE_AFTER_MS,
  STATE,
  SUBPROTOCOL,
  TOLD_CAP_MS,
  VERB,
  afterClose,
} from "./constants.js";

const MS_PER_S = 1000;
const DEFAULTS = {
  protocols: [SUBPROTOCOL],
  random: Math.random,
  network: { isOnline: () => true, on: () => {} },
  authenticate: async () => [],
  positions: () => ({}),
};

/** Thrown by `authenticate` when there is nobody to be any more. */
export class SignedOut extends Error {}

/**
 * The one line to the server, and its one state. Whatever cuts it, it comes back by itself; closed by hand, replaced
 * or refused, it stays away until asked. It never waits for a socket to finish closing: a socket is abandoned, and
 * what an abandoned socket still says is not heard. (Its handlers stay, or some sockets would throw their last error.)
 *
 * Announces `state`, `frame` (each frame of the server) and `bytes`.
 */
export class Connection {
  #given;
  #bus = new Bus();
  #heartbeat;
  #requests;
  #writer;
  #state = Object.freeze({ name: STATE.CLOSED });
  #socket = null;
  #dial = null;
  #timer = null;
  #attempt = 0;
  #onlineAt = null;
  #bye = null;
  #mustAuthenticate = false;

  /**
   * Must be given: `WebSocket`, `url` and `clock` (now, setTimeout, clearTimeout). May be given: `protocols`, `random`;
   * `network` with `isOnline()`, announcing `wake` and `offline`; `authenticate`, which gives the subprotocols that
   * carry a ticket, or throws SignedOut; `positions`, the {room: version} that a heartbeat reports.
   */
  constructor(given) {
    this.#given = { ...DEFAULTS, ...given };
    const { clock, network } = this.#given;
    this.#requests = new Requests({ clock });
    this.#writer = new Writer({ clock });
    this.#heartbeat = new Heartbeat({
      clock,
      beat: (sent) => this.send({ type: VERB.HEARTBEAT, at: this.#given.positions(), sent }),
      dead: () => this.#lost(CLOSE.HEARTBEAT_MISSED),
    });
    network.on("wake", () => this.#woken());
    network.on("offline", () => this.#networkGone());
  }

  get state() {
    return this.#state;
  }

  get isOnline() {
    return this.#state.name === STATE.ONLINE;
  }

  on(name, listener) {
    return this.#bus.on(name, listener);
  }

  /** Asking twice never makes a second socket; asking while it waits means now. */
  connect() {
    if (this.isOnline || this.#state.name === STATE.CONNECTING) return;
    this.#attempt = 0;
    this.#call();
  }

  disconnect() {
    this.stop({ name: STATE.CLOSED });
  }

  /** Ends in the given state, and does not come back by itself. */
  stop(state) {
    this.#abandon(CLOSE.NORMAL);
    this.#become(state);
  }

  /** Sends the frame if there is a line, and says whether there was. */
  send(frame) {
    if (this.isOnline) this.#writer.write(encode(frame));
    return this.isOnline;
  }

  sendBytes(bytes) {
    if (this.isOnline) this.#writer.write(bytes);
    return this.isOnline;
  }

  /** The promise is the server's answer, or a RequestError. */
  async request(frame, { timeoutMs = REQUEST_TIMEOUT_MS } = {}) {
    if (!this.isOnline) throw new RequestError({ code: ERROR.DISCONNECTED });
    return this.#requests.open(frame, (numbered) => this.send(numbered), timeoutMs);
  }

  #call() {
    this.#abandon(CLOSE.NORMAL);
    const dial = (this.#dial = { startedAt: this.#given.clock.now() });
    this.#arm(CONNECT_TIMEOUT_MS, () => this.#lost(CLOSE.LOST));
    this.#become({ name: STATE.CONNECTING });
    if (dial !== this.#dial) return;
    if (this.#mustAuthenticate) this.#authenticateAndOpen(dial);
    else this.#open([]);
  }

  async #authenticateAndOpen(dial) {
    try {
      const tickets = await this.#given.authenticate();
      if (dial === this.#dial) this.#open(tickets);
    } catch (error) {
      if (dial !== this.#dial) return;
      if (error instanceof SignedOut) this.stop({ name: STATE.SIGNED_OUT });
      else this.#lost(CLOSE.LOST);
    }
  }

  #open(tickets) {
    let socket;
    try {
      socket = new this.#given.WebSocket(this.#given.url, [...this.#given.protocols, ...tickets]);
    } catch {
      return this.#lost(CLOSE.LOST);
    }
    const whileOurs = (hear) => (event) => socket === this.#socket && hear(event);
    socket.binaryType = "arraybuffer";
    socket.onmessage = whileOurs(({ data }) => this.#hear(socket, data));
    socket.onclose = whileOurs(({ code }) => this.#lost(code));
    socket.onerror = () => {};
    this.#socket = socket;
  }

  #hear(socket, data) {
    this.#heartbeat.heard();
    if (socket !== this.#socket) return;
    if (this.#state.isDoubtful) this.#become({ name: STATE.ONLINE });
    if (typeof data !== "string") return this.#bus.emit("bytes", data);
    for (const frame of decode(data)) {
      if (socket === this.#socket) this.#take(frame);
    }
  }

  #take(frame) {
    if (frame.type === EVENT.HELLO) this.#welcome(frame);
    if (frame.type === EVENT.BYE) this.#bye = frame;
    this.#bus.emit("frame", frame);
    this.#requests.settle(frame);
  }

  #welcome({ heartbeat = {} }) {
    this.#given.clock.clearTimeout(this.#timer);
    this.#onlineAt = this.#given.clock.now();
    this.#mustAuthenticate = false;
    this.#writer.attach(this.#socket);
    this.#heartbeat.start({
      intervalMs: heartbeat.interval * MS_PER_S || HEARTBEAT_INTERVAL_MS,
      timeoutMs: heartbeat.timeout * MS_PER_S || HEARTBEAT_TIMEOUT_MS,
    });
    this.#become({ name: STATE.ONLINE });
  }

  #lost(closeCode) {
    const { code = closeCode, reason, retry_after: retryAfterS } = this.#bye ?? {};
    const { comesBack, state, whenTold, authenticates } = afterClose(code);
    if (this.#wasStable()) this.#attempt = 0;
    this.#abandon(code);
    this.#mustAuthenticate ||= authenticates === true;
    if (!comesBack) this.#become({ name: state, code, reason });
    else if (whenTold && retryAfterS !== undefined) this.#wait(code, Math.min(retryAfterS * MS_PER_S, TOLD_CAP_MS));
    else this.#wait(code, this.#backoffMs());
  }

  /** An attempt without a network says nothing about the server. */
  #backoffMs() {
    const { network, random } = this.#given;
    if (!network.isOnline()) return backoffMs(0, random, BACKOFF_CAP_MS);
    const isSeen = network.isVisible?.() ?? false;
    return backoffMs(this.#attempt++, random, isSeen ? BACKOFF_CAP_VISIBLE_MS : BACKOFF_CAP_MS);
  }

  #wasStable() {
    return this.#onlineAt !== null && this.#given.clock.now() - this.#onlineAt >= STABLE_AFTER_MS;
  }

  #wait(code, delayMs) {
    this.#arm(delayMs, () => this.#call());
    this.#announceWait({ code, until: this.#given.clock.now() + delayMs });
  }

  #announceWait({ code, until }) {
    this.#become({ name: this.#given.network.isOnline() ? STATE.WAITING : STATE.OFFLINE, code, until });
  }

  #woken() {
    if (this.isOnline) this.#heartbeat.check();
    const { name } = this.#state;
    const isWaiting = name === STATE.WAITING || name === STATE.OFFLINE;
    if (isWaiting || (name === STATE.CONNECTING && this.#hasCalledLong())) this.#call();
  }

  #hasCalledLong() {
    return this.#given.clock.now() - this.#dial.startedAt >= CONNECT_PATIENCE_MS;
  }

  #networkGone() {
    if (this.isOnline) this.#doubt();
    else if (this.#state.name === STATE.WAITING) this.#announceWait(this.#state);
  }

  /** The browser says that the network went; whether the line did, the next answer says. */
  #doubt() {
    this.#become({ name: STATE.ONLINE, isDoubtful: true });
    this.#heartbeat.check();
  }

  #abandon(code) {
    const socket = this.#socket;
    this.#given.clock.clearTimeout(this.#timer);
    this.#heartbeat.stop();
    this.#writer.detach();
    this.#socket = this.#dial = this.#bye = this.#onlineAt = null;
    this.#requests.failAll({ code: ERROR.DISCONNECTED, closeCode: code });
    socket?.close(code >= 3000 && code <= 4999 ? code : CLOSE.NORMAL);
  }

  #arm(delayMs, act) {
    this.#given.clock.clearTimeout(this.#timer);
    this.#timer = this.#given.clock.setTimeout(act, delayMs);
  }

  #become(state) {
    this.#state = Object.freeze(state);
    this.#bus.emit("state", this.#state);
  }
}
