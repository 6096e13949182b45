import { Bus } from "./bus.js";
import { Delivery } from "./delivery.js";
import { Joining } from "./room_sync.js";
import { Presence } from "./presence.js";
import { Reading } from "./read_position.js";
import { Room } from "./room.js";
import { createNonce } from "./protocol.js";
import { ERROR, EVENT, STATE, TEXT_LIMIT, TYPING_EVERY_MS, VERB } from "./constants.js";

/**
 * A user's chat: rooms kept up to date over one connection, and an outbox that empties itself into it. It knows no page;
 * a program uses it as the page does.
 *
 * Announces `state` (of the connection), `room` (its Room, when its lines changed), `message` ({room, message}, live and
 * new), `presence` ({room, presence}) and `typing` ({room, names, stopped}).
 */
export class Chat {
  #connection;
  #outbox;
  #delivery;
  #clock;
  #random;
  #crypto;
  #bus = new Bus();
  #open = new Map();
  #textLimit = TEXT_LIMIT;
  #reading;
  #takers = {
    [EVENT.HELLO]: (frame) => this.#greeted(frame),
    [EVENT.JOINED]: (frame) => this.#inRoom(frame, (opened) => this.#joined(opened, frame)),
    [EVENT.LEFT]: (frame) => this.#inRoom(frame, (opened) => this.#refused(opened, ERROR.FORBIDDEN)),
    [EVENT.MESSAGE]: (frame) => this.#inRoom(frame, (opened) => this.#received(opened, frame)),
    [EVENT.RESYNC]: (frame) => this.#inRoom(frame, (opened) => this.#resynced(opened)),
    [EVENT.PRESENCE]: (frame) => this.#inRoom(frame, (opened) => this.#peopleChanged(opened, frame)),
    [EVENT.TYPING]: ({ room, names = [], stopped = [] }) => this.#bus.emit("typing", { room, names, stopped }),
    [EVENT.ROOM]: (frame) => this.#inRoom(frame, (opened) => this.#retitled(opened, frame)),
    [EVENT.REACTION]: (frame) => this.#inRoom(frame, (opened) => this.#received(opened, frame)),
    [EVENT.READ]: ({ room, read }) => this.#reading.known(room, read),
  };

  constructor({ connection, outbox, clock, locks, crypto, random = Math.random }) {
    this.#connection = connection;
    this.#outbox = outbox;
    this.#clock = clock;
    this.#random = random;
    this.#crypto = crypto;
    this.#delivery = new Delivery({ connection, outbox, locks, clock, random });
    this.#reading = new Reading({ clock, random, send: (frame) => connection.send(frame) });
    connection.on("state", (state) => this.#bus.emit("state", state));
    connection.on("frame", (frame) => this.#takers[frame.type]?.(frame));
    outbox.on("change", () => this.#open.forEach(({ room }) => this.#changed(room)));
  }

  get state() {
    return this.#connection.state;
  }

  get isOnline() {
    return this.#connection.isOnline;
  }

  get name() {
    return this.#outbox.user;
  }

  /** How long a message may be, in characters. */
  get textLimit() {
    return this.#textLimit;
  }

  on(name, listener) {
    return this.#bus.on(name, listener);
  }

  connect() {
    this.#connection.connect();
  }

  disconnect() {
    this.#connection.disconnect();
  }

  /** Opens a room and keeps it up to date from now on. */
  open(slug, title) {
    if (!this.#open.has(slug)) this.#begin(slug, title);
    return this.#open.get(slug).room;
  }

  leave(slug) {
    this.#open.get(slug)?.joining.end();
    this.#open.delete(slug);
    this.#connection.send({ type: VERB.LEAVE, room: slug });
  }

  /** The message is there at once, and sent as soon as it can be. Returns its nonce. */
  post(slug, text) {
    return this.#write(slug, { verb: VERB.POST, text });
  }

  /** The change of the message at `seq` shows at once, and is sent as soon as it can be; so with the next two. */
  edit(slug, seq, text) {
    return this.#write(slug, { verb: VERB.EDIT, seq, text });
  }

  delete(slug, seq) {
    return this.#write(slug, { verb: VERB.DELETE, seq });
  }

  react(slug, seq, emoji, on) {
    return this.#write(slug, { verb: VERB.REACT, seq, emoji, on });
  }

  retry(nonce) {
    this.#outbox.retry(nonce);
  }

  discard(nonce) {
    this.#outbox.remove(nonce);
  }

  /** Asks for the page before what is shown, or the one after it. The promise says whether the room changed. */
  loadEarlier(slug) {
    return this.#load(slug, (room) => room.nextHistory());
  }

  loadLater(slug) {
    return this.#load(slug, (room) => room.nextLater());
  }

  /** Shows the message at that place among those around it. The promise says whether it does, or cannot just now. */
  async showAround(slug, seq) {
    const { room } = this.#open.get(slug);
    if (!room.showAround(seq)) await this.#load(slug, () => room.nextAround(seq));
    if (!room.showAround(seq)) return false;
    this.#changed(room);
    return true;
  }

  showEnd(slug) {
    const { room } = this.#open.get(slug);
    room.showEnd();
    this.#changed(room);
  }

  /** Which message of the room was the last that one has read, counted from 1; 0: none. */
  readUpTo(slug) {
    return this.#reading.ordinal(slug);
  }

  seen(slug, seq) {
    const line = this.#open.get(slug)?.room.lineAt(seq);
    if (line) this.#reading.seen(slug, line);
  }

  /** The draft is gone: nobody waits for what does not come. */
  stoppedTyping(slug) {
    const opened = this.#open.get(slug);
    if (opened.typedAt === -Infinity) return;
    opened.typedAt = -Infinity;
    this.#connection.send({ type: VERB.TYPING, room: slug, on: false });
  }

  typing(slug) {
    const opened = this.#open.get(slug);
    if (Math.abs(this.#clock.now() - opened.typedAt) < TYPING_EVERY_MS) return;
    if (this.#connection.send({ type: VERB.TYPING, room: slug })) opened.typedAt = this.#clock.now();
  }

  /** Where each open room stands, for the heartbeat: {room: version}. */
  positions() {
    const live = [...this.#open.values()].filter(({ room }) => room.isLive);
    return Object.fromEntries(live.map(({ room }) => [room.slug, room.version]));
  }

  async #load(slug, next) {
    const { room } = this.#open.get(slug);
    const asked = this.#connection.isOnline ? next(room) : null;
    if (!asked) return false;
    try {
      room.historyCame(asked, await this.#connection.request({ type: VERB.HISTORY, ...asked }));
    } catch (error) {
      room.historyFailed(asked);
      throw error;
    }
    this.#changed(room);
    return true;
  }

  #write(slug, what) {
    const nonce = createNonce(this.#crypto);
    this.#outbox.add({ room: slug, nonce, ...what, createdAt: new Date(this.#clock.now()).toISOString() });
    return nonce;
  }

  #begin(slug, title) {
    const room = new Room(slug, title);
    const opened = { room, presence: new Presence(), joining: null, typedAt: -Infinity };
    opened.joining = new Joining({
      connection: this.#connection,
      room,
      clock: this.#clock,
      random: this.#random,
      refused: (code) => this.#refused(opened, code),
    });
    this.#open.set(slug, opened);
    room.setPending(this.#outbox.entriesOf(slug));
    opened.joining.catchUp();
  }

  /** Another name means that somebody else signed in on this browser: this page must not speak for them. */
  #greeted({ name, rooms = [], limits = {} }) {
    if (name !== this.name) return this.#connection.stop({ name: STATE.SIGNED_OUT });
    this.#textLimit = limits.text ?? TEXT_LIMIT;
    rooms.forEach(({ room, read }) => this.#reading.known(room, read ?? 0));
    this.#open.forEach(({ joining }) => joining.restart());
    this.#reading.resume();
    this.#delivery.deliver();
  }

  #inRoom({ room }, act) {
    if (this.#open.has(room)) act(this.#open.get(room));
  }

  #joined({ room, presence, joining }, page) {
    room.joined(page);
    joining.catchUp();
    if (page.online) presence.replace(page.online);
    if (page.online) this.#bus.emit("presence", { room, presence });
    this.#changed(room);
  }

  #refused({ room, joining }, code) {
    room.refused(code);
    joining.keptOut();
    this.#changed(room);
  }

  #received({ room, joining }, event) {
    const news = room.receive(event);
    joining.catchUp();
    this.#changed(room);
    news.forEach((line) => this.#bus.emit("message", { room, message: line }));
  }

  #resynced({ room, joining }) {
    room.resync();
    joining.catchUp();
    this.#changed(room);
  }

  #retitled({ room }, { title }) {
    room.retitle(title);
    this.#changed(room);
  }

  #peopleChanged({ room, presence }, change) {
    presence.change(change);
    this.#bus.emit("presence", { room, presence });
  }

  /** An entry is settled when the room shows its message, whatever became of the acknowledgement. */
  #changed(room) {
    room.setPending(this.#outbox.entriesOf(room.slug));
    this.#bus.emit("room", room);
    room.settled().forEach((line) => this.#outbox.settle(line.nonce, line));
  }
}
