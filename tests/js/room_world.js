// A room's server, a pipe that repeats, loses and reorders, and a client's Room at its end: one history per seed.
import assert from "node:assert/strict";
import { seededRandom } from "./fakes.js";

const STEPS = 160;
const LATEST_PAGE = 5;
const CATCH_UP_PAGE = 4;

/** The server: changes on one number line, and what it answers at any moment. */
class Server {
  changes = [];
  epoch = 1;

  get head() {
    return this.changes.length;
  }

  create(author, nonce) {
    const seq = this.head + 1;
    return this.#commit({ seq, author, nonce, text: `text ${seq}` });
  }

  change(random, old = this.#any(random)) {
    if (!old) return this.create("bob", `b${this.head + 1}`);
    const isDeleted = random() < 0.2;
    return this.#commit({ ...old, text: isDeleted ? "" : `text ${old.seq} at ${this.head + 1}`, deleted: isDeleted });
  }

  /** A reaction comes or goes: what is told of it, and the state that pages have from then on. */
  react(random) {
    const old = this.#any(random);
    if (!old) return this.create("bob", `b${this.head + 1}`);
    const emoji = random() < 0.5 ? "👍" : "🎉";
    const name = random() < 0.5 ? "alice" : "bob";
    const names = old.reactions?.[emoji] ?? [];
    const on = !names.includes(name);
    const left = on ? [...names, name] : names.filter((other) => other !== name);
    const { [emoji]: _, ...others } = old.reactions ?? {};
    const { seq, version } = this.#commit({ ...old, reactions: left.length > 0 ? { ...others, [emoji]: left } : others });
    return { type: "reaction", room: "lobby", seq, version, emoji, name, on };
  }

  #any(random) {
    const messages = this.messages();
    return messages[Math.floor(random() * messages.length)];
  }

  /** The database is restored: the last changes never happened, and the numbers begin a new epoch. */
  restore(lost) {
    this.changes.length = Math.max(0, this.head - lost);
    this.epoch += 1;
  }

  /** Every message as it was at that version, by place. */
  messages(version = this.head) {
    const states = new Map(this.changes.slice(0, version).map((change) => [change.seq, change]));
    return [...states.values()].sort((a, b) => a.seq - b.seq);
  }

  answer({ after, epoch }) {
    if (after === undefined) return this.#latest();
    if (epoch !== this.epoch || after > this.head) return { type: "resync", room: "lobby" };
    return this.since(after, CATCH_UP_PAGE);
  }

  since(after, limit = Infinity) {
    const changed = this.messages()
      .filter(({ version }) => version > after)
      .sort((a, b) => a.version - b.version);
    const messages = changed.slice(0, limit);
    const more = changed.length > limit;
    return this.#joined({ after, messages, more, head: more ? messages.at(-1).version : this.head });
  }

  /** The answer to a question for history; null where there is no such message. */
  page({ before, after, around }) {
    if (before !== undefined) return this.before(before);
    if (after !== undefined) return this.#after(after);
    return this.#around(around);
  }

  #after(seq) {
    const newer = this.messages().filter((message) => message.seq > seq);
    return { messages: newer.slice(0, LATEST_PAGE), more: newer.length > LATEST_PAGE };
  }

  #around(seq) {
    const messages = this.messages();
    const place = messages.findIndex((message) => message.seq === seq);
    const [first, end] = [Math.max(0, place - 2), place + 3];
    return { messages: messages.slice(first, end), earlier: first > 0, later: end < messages.length };
  }

  before(seq) {
    const older = this.messages().filter((message) => message.seq < seq);
    return { messages: older.slice(-LATEST_PAGE), more: older.length > LATEST_PAGE };
  }

  #latest() {
    const messages = this.messages();
    return this.#joined({
      messages: messages.slice(-LATEST_PAGE),
      earlier: messages.length > LATEST_PAGE,
      head: this.head,
    });
  }

  #joined(page) {
    return { type: "joined", room: "lobby", title: "Lobby", epoch: this.epoch, ...page };
  }

  #commit(change) {
    const message = {
      type: "message",
      room: "lobby",
      ...change,
      version: this.head + 1,
      created_at: "2026-11-20T12:00:00Z",
    };
    this.changes.push(message);
    return message;
  }
}

/** Runs one history, checks the room after every step, and at the end against the whole of the server's timeline. */
export class World {
  #random;
  #server = new Server();
  #room;
  #pipe = [];
  #joins = [];
  #histories = [];
  #unsent = [];
  #nonces = 0;
  #isSubscribed = false;
  #versionSeen = 0;
  #isOutdated = false;

  constructor({ Room, seed }) {
    this.#random = seededRandom(seed);
    this.#room = new Room("lobby");
  }

  run() {
    for (let count = this.#below(25); count > 0; count--) this.#server.create("bob", `b${count}`);
    for (let step = 0; step < STEPS; step++) {
      this.#step();
      this.#check();
    }
    this.#comeToRest();
    this.#checkEnd();
  }

  #step() {
    const steps = [
      [20, () => this.#commit()],
      [30, () => this.#deliver()],
      [25, () => this.#ask()],
      [25, () => this.#answer()],
      [8, () => this.#askHistory()],
      [8, () => this.#answerHistory()],
      [8, () => this.#write()],
      [8, () => this.#post()],
      [4, () => this.#fill()],
      [3, () => this.#failJoin()],
      [3, () => this.#failHistory()],
      [3, () => this.#cut()],
      [4, () => this.#jump()],
      [6, () => this.#askHistory("nextLater")],
      [1, () => this.#room.showEnd()],
      [2, () => this.#room.isAtEnd && this.#room.keepLatest(3)],
      [2, () => this.#room.keepNear(this.#below(this.#server.head + 1), 2)],
      [1, () => this.#send({ type: "resync", room: "lobby" })],
      [0.3, () => this.#restore()],
    ];
    let chosen = this.#random() * steps.reduce((sum, [weight]) => sum + weight, 0);
    steps.find(([weight]) => (chosen -= weight) < 0)[1]();
  }

  #commit() {
    const kind = this.#random();
    if (kind < 0.45) this.#publish(this.#server.create("bob", `b${this.#server.head + 1}`));
    else if (kind < 0.65) this.#publish(this.#server.change(this.#random));
    else if (kind < 0.9) this.#publish(this.#server.react(this.#random));
    else this.#publishTheLast(this.#server.change(this.#random));
  }

  /** Two changes of one message within a turn: the first is not told, and the second says from where it is complete. */
  #publishTheLast(first) {
    const from = first.version - 1;
    if (first.seq !== first.version) this.#publish({ ...this.#server.change(this.#random, first), from });
    else this.#publish(first);
  }

  /** A live event may be lost, come twice, or come after later ones. */
  #publish(message) {
    if (!this.#isSubscribed || this.#random() < 0.1) return;
    this.#send(message);
    if (this.#random() < 0.15) this.#send(message);
    if (this.#random() < 0.2 && this.#pipe.length > 1) this.#pipe.splice(-2, 2, this.#pipe.at(-1), this.#pipe.at(-2));
  }

  #send(frame) {
    if (this.#isSubscribed || frame.id !== undefined) this.#pipe.push(frame);
  }

  #deliver() {
    const frame = this.#pipe.shift();
    if (frame?.type === "message" || frame?.type === "reaction") this.#room.receive(frame);
    if (frame?.type === "joined") this.#room.joined(frame);
    if (frame?.type === "resync") this.#resync();
  }

  #resync() {
    this.#room.resync();
    this.#versionSeen = 0;
  }

  #ask() {
    const asked = this.#room.nextJoin();
    if (asked) this.#joins.push(asked);
  }

  #answer() {
    const asked = this.#joins.shift();
    if (!asked) return;
    const answer = this.#server.answer(asked);
    if (answer.type === "joined" && !answer.more) this.#isSubscribed = true;
    this.#send({ ...answer, id: "1" });
  }

  /** The client gives up waiting; the server answers all the same. */
  #failJoin() {
    if (this.#joins.length > 0) this.#room.joinFailed(this.#joins[0]);
  }

  #jump() {
    const messages = this.#server.messages();
    if (messages.length === 0) return;
    const { seq } = messages[this.#below(messages.length)];
    const asked = this.#room.showAround(seq) ? null : this.#room.nextAround(seq);
    if (asked) this.#histories.push({ asked, answer: null });
  }

  #askHistory(next = "nextHistory") {
    const asked = this.#room[next]();
    if (asked) this.#histories.push({ asked, answer: null });
  }

  /** The page is read at one moment, and arrives at another. */
  #answerHistory() {
    const waiting = this.#histories[0];
    if (!waiting) return;
    if (waiting.answer) this.#histories.shift();
    if (waiting.answer) this.#room.historyCame(waiting.asked, waiting.answer);
    else waiting.answer = this.#server.page(waiting.asked);
  }

  #failHistory() {
    const waiting = this.#histories.shift();
    if (waiting) this.#room.historyFailed(waiting.asked);
  }

  #write() {
    this.#unsent.push({
      user: "alice",
      nonce: `a${++this.#nonces}`,
      text: "mine",
      status: "sending",
      createdAt: "2026-11-20T12:00:00Z",
    });
    this.#room.setPending(this.#unsent);
  }

  /** One of ours is committed; the acknowledgement may be lost, and comes again with the next try. */
  #post() {
    const entry = this.#unsent.find(({ status }) => status === "sending");
    if (!entry) return;
    const known = this.#server.messages().find(({ nonce }) => nonce === entry.nonce);
    const message = known ?? this.#server.create("alice", entry.nonce);
    if (!known) this.#publish(message);
    if (this.#random() < 0.7) Object.assign(entry, { status: "sent", seq: message.seq, version: message.version });
    this.#room.setPending(this.#unsent);
  }

  /** The server tells what it read from its database, unasked. */
  #fill() {
    this.#send(this.#server.since(this.#below(this.#server.head + 1)));
  }

  #cut() {
    this.#pipe = [];
    this.#joins = [];
    this.#isSubscribed = false;
    this.#room.disconnected();
  }

  #restore() {
    this.#server.restore(this.#below(4));
    this.#isOutdated = this.#room.isKnown;
    this.#histories = [];
    this.#unsent = [];
    this.#room.setPending([]);
    this.#cut();
  }

  #check() {
    this.#forgetSettled();
    const confirmed = this.#room.lines().filter(({ seq }) => seq !== undefined);
    const seqs = confirmed.map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      [...new Set(seqs)].sort((a, b) => a - b),
      "each message once, in order",
    );
    if (!this.#room.isKnown) this.#isOutdated = false;
    if (this.#room.isLive && !this.#isOutdated) this.#checkPosition(confirmed);
  }

  #forgetSettled() {
    const settled = new Set(this.#room.settled().map(({ nonce }) => nonce));
    this.#unsent = this.#unsent.filter(({ nonce }) => !settled.has(nonce));
    this.#room.setPending(this.#unsent);
  }

  /**
   * A live room has everything up to its position, from the first message it shows to the last, or to the end. (Between the pages of a long absence
   * it has not: what was changed again later comes with a later page.)
   */
  #checkPosition(confirmed) {
    const { version } = this.#room;
    assert.ok(version >= this.#versionSeen, "the position never goes back");
    this.#versionSeen = version;
    const last = this.#room.isAtEnd ? Infinity : confirmed.at(-1).seq;
    const isShown = ({ seq }) => seq >= (confirmed[0]?.seq ?? Infinity) && seq <= last;
    const expected = this.#server.messages(version).filter(isShown);
    const shown = new Map(confirmed.map((line) => [line.seq, line]));
    for (const message of expected) {
      assert.ok(shown.has(message.seq), `message ${message.seq} is missing at version ${version}`);
      assert.ok(
        shown.get(message.seq).version >= message.version,
        `message ${message.seq} is out of date at version ${version}`,
      );
    }
  }

  /** Faults end, everything arrives, and one more change shows what is still missing. */
  #comeToRest() {
    this.#cut();
    while (this.#unsent.some(({ status }) => status === "sending")) this.#post();
    for (let round = 0; round < 300; round++) {
      this.#ask();
      this.#answer();
      this.#deliver();
      if (round === 200) this.#send(this.#server.change(this.#random));
    }
    for (let round = 0; round < 200; round++) {
      this.#askHistory("nextLater");
      this.#answerHistory();
      this.#answerHistory();
      this.#askHistory();
      this.#answerHistory();
    }
  }

  #checkEnd() {
    this.#check();
    assert.equal(this.#room.version, this.#server.head, "the room is where the server is");
    const shown = this.#room.lines().filter(({ seq }) => seq !== undefined);
    assert.deepEqual(shown.map(essence), this.#server.messages().map(essence), "the whole timeline");
  }

  #below(limit) {
    return Math.floor(this.#random() * limit);
  }
}

function essence({ seq, version, author, nonce, text, deleted = false, reactions = {} }) {
  return { seq, version, author, nonce, text, deleted, reactions };
}
