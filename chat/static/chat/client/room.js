import { Lines } from "./lines.js";
import { Pending } from "./pending.js";
import { Stretches } from "./stretches.js";
import { EVENT, STATUS } from "./constants.js";

const MODERATOR = "moderator";
const PHASE = Object.freeze({ AWAY: "away", ASKING: "asking", LIVE: "live", REFUSED: "refused" });

/**
 * What this client knows of one room: each message at its `seq`, in its newest `version`, without a hole in what is shown:
 * the live end, or an old stretch of which the end is a part of its own.
 *
 * `version` is the position: every change up to it is here. A live event that is not the next one is held, until the
 * hole before it is filled. The room does no I/O: what begins with `next` says what to ask, once; the outcome is
 * handed back with the question, so that the failure of a question that no longer counts changes nothing.
 *
 * A message of ours is known by its nonce, pending as well as confirmed: it is one line all the way.
 */
export class Room {
  #slug;
  #title;
  #phase = PHASE.AWAY;
  #refusal = null;
  #epoch = null;
  #version = null;
  #lines = new Lines();
  #stretches = new Stretches(this.#lines);
  #held = new Map();
  #askedJoin = null;
  #role = null;
  #pending = new Pending((written) => this.#isThere(written));
  #writtenOff = new Set();

  constructor(slug, title = slug) {
    this.#slug = slug;
    this.#title = title;
  }

  get slug() {
    return this.#slug;
  }

  get title() {
    return this.#title;
  }

  retitle(title) {
    this.#title = title;
  }

  get version() {
    return this.#version;
  }

  get isLive() {
    return this.#phase === PHASE.LIVE;
  }

  /** The code of the error that keeps us out, or null. */
  get refusal() {
    return this.#refusal;
  }

  get hasEarlier() {
    return this.#stretches.shown.hasEarlier;
  }

  /** Whether what is shown ends where the room does, and grows with it. */
  get isAtEnd() {
    return this.#stretches.isAtEnd;
  }

  /** How many messages are kept, shown or not. */
  get size() {
    return this.#lines.size;
  }

  /** Whether anything is known of the room at all. */
  get isKnown() {
    return this.#version !== null;
  }

  /** Whether this user may delete what others wrote here. */
  get mayModerate() {
    return this.#role === MODERATOR;
  }

  /** The `seq` of the latest message, or 0. */
  get lastSeq() {
    return this.#lines.lastSeq;
  }

  /** The confirmed message at that place, or undefined. */
  lineAt(seq) {
    return this.#lines.get(seq);
  }

  /** The messages in order, as changes on their way make them, then those that are themselves on their way. */
  lines() {
    return [...this.#pending.over(this.#stretches.lines()), ...(this.isAtEnd ? this.#pending.lines() : [])];
  }

  /** How many messages of others are later than the one that is the `ordinal`th of the room. */
  countAfter(ordinal, me) {
    return this.#stretches.countAfter(ordinal, me);
  }

  /** The outbox entries of this room, as they are now. */
  setPending(entries) {
    this.#pending.set(entries);
  }

  /** What was pending, messages and changes, and is here by now. */
  settled() {
    return this.#pending.settled().map((written) => this.#lines.ofKey(written.key) ?? written);
  }

  /** Perhaps we may come in again by now: what kept us out is still shown until the answer is there. */
  askAgain() {
    if (this.#phase === PHASE.REFUSED) this.#settle(PHASE.AWAY);
  }

  /** Something is missing, and nobody has been asked for it. */
  get wantsJoin() {
    return this.#phase === PHASE.AWAY;
  }

  /** What to ask to be up to date, or null when nothing is missing or the question has been asked. */
  nextJoin() {
    if (!this.wantsJoin) return null;
    this.#phase = PHASE.ASKING;
    this.#askedJoin = this.isKnown
      ? { room: this.#slug, after: this.#version, epoch: this.#epoch }
      : { room: this.#slug };
    return this.#askedJoin;
  }

  /**
   * A page: everything that changed in (`after`, `head`], or without `after` the latest messages. What a page says is
   * true whoever asked for it; only an answer (it has an `id`) settles the question. One that was not asked for shows a
   * hole when it begins further on than we are, or when it is not all.
   */
  joined(page) {
    if (this.isKnown && page.epoch !== this.#epoch) return this.resync();
    const isConnected = this.isKnown ? page.after <= this.#version : page.after === undefined;
    if (isConnected) this.#merge(page);
    const isAll = isConnected && !page.more;
    if (page.id !== undefined) this.#settle(isAll ? PHASE.LIVE : PHASE.AWAY);
    else if (this.isLive && !isAll) this.#settle(PHASE.AWAY);
    if (this.isLive) this.#release();
  }

  joinFailed(asked) {
    if (asked === this.#askedJoin) this.#settle(PHASE.AWAY);
  }

  /** The server will not have us here, or not any more. What was seen stays on the screen. */
  refused(code) {
    this.#held.clear();
    this.#refusal = code;
    this.#settle(PHASE.REFUSED);
  }

  /**
   * A live event: a message's new state, or a reaction. It is complete from the number `from` on, which is the one before
   * it unless the server left out what it contains. Returns the messages that are new because of it.
   */
  receive(event) {
    if (this.isKnown && event.version <= this.#version) return [];
    this.#held.set(event.version, event);
    return this.isLive ? this.#release() : [];
  }

  /**
   * The server cannot say what changed since: all that is known is worth nothing. What was sent is where all can see it
   * or, when the database is a restored one, nowhere; it is not waited for.
   */
  resync() {
    this.#pending.sentKeys().forEach((key) => this.#writtenOff.add(key));
    this.#lines.clear();
    this.#held.clear();
    this.#stretches.restart();
    this.#version = this.#epoch = null;
    this.#settle(PHASE.AWAY);
  }

  /** The line is cut; whatever was asked will not be answered. */
  disconnected() {
    this.#held.clear();
    this.#lines.forgetEarly();
    this.#stretches.forget();
    this.#settle(PHASE.AWAY);
  }

  /** Shows the message at that place with those around it. False: it is not here, and is to be asked for. */
  showAround(seq) {
    return this.#stretches.show(seq);
  }

  showEnd() {
    this.#stretches.showEnd();
  }

  nextHistory() {
    return this.isLive ? this.#stretches.askEarlier(this.#slug) : null;
  }

  nextLater() {
    return this.isLive ? this.#stretches.askLater(this.#slug) : null;
  }

  nextAround(seq) {
    return this.isLive ? this.#stretches.askAround(this.#slug, seq) : null;
  }

  /** The answer to one of the three questions above. */
  historyCame(asked, page) {
    if (this.#stretches.take(asked, page)) page.messages.forEach((message) => this.#lines.put(message));
  }

  historyFailed(asked) {
    this.#stretches.forget(asked);
  }

  /** Lets go of all but the latest messages; the others can be asked for again. */
  keepLatest(count) {
    this.#stretches.keepLatest(count);
  }

  /** Lets go of what is further away from that place than so many messages. */
  keepNear(seq, count) {
    this.#stretches.keepNear(seq, count);
  }

  #merge({ after, title, role, epoch, head, messages, earlier = false }) {
    this.#title = title ?? this.#title;
    this.#role = role ?? this.#role;
    if (after === undefined) {
      this.#epoch = epoch;
      this.#stretches.restart(messages[0]?.seq, earlier);
    }
    messages.forEach((message) => this.#lines.put(message));
    this.#version = Math.max(this.#version ?? 0, head);
  }

  #settle(phase) {
    this.#phase = phase;
    this.#askedJoin = null;
    if (phase === PHASE.LIVE) this.#refusal = null;
  }

  /** Applies what was held, as far as it follows; a hole that is left is to be asked for. */
  #release() {
    const news = [];
    for (const version of [...this.#held.keys()].sort((a, b) => a - b)) {
      const event = this.#held.get(version);
      if ((event.from ?? version - 1) > this.#version) {
        this.#settle(PHASE.AWAY);
        break;
      }
      if (version > this.#version) news.push(...this.#follow(event));
      this.#held.delete(version);
    }
    return news;
  }

  #follow(event) {
    this.#version = event.version;
    return event.type === EVENT.REACTION ? this.#react(event) : this.#put(event);
  }

  #react(reaction) {
    this.#lines.react(reaction);
    return [];
  }

  #put(message) {
    const isNew = !this.#lines.has(message.seq);
    this.#lines.put(message);
    return isNew && message.seq === message.version ? [this.#lines.get(message.seq)] : [];
  }

  #isThere({ key, status, version }) {
    if (this.#lines.ofKey(key) !== undefined || this.#writtenOff.has(key)) return true;
    return status === STATUS.SENT && this.isKnown && version <= this.#version;
  }
}
