/**
 * Which parts of a room are here without holes: its live end always, and beside it the old stretch that is shown, while
 * one is. Says what to ask to know more of what is shown, one question at a time.
 */
export class Stretches {
  #lines;
  #end = { from: 0, to: Infinity, hasEarlier: false };
  #old = null;
  #asked = null;

  constructor(lines) {
    this.#lines = lines;
  }

  get isAtEnd() {
    return this.#old === null;
  }

  get shown() {
    return this.#old ?? this.#end;
  }

  /** The confirmed messages of what is shown, in order. */
  lines() {
    return this.#linesOf(this.shown);
  }

  countAfter(ordinal, me) {
    const later = this.#linesOf(this.#end).filter((line) => line.ordinal > ordinal);
    const mine = later.filter(({ author }) => author === me).length;
    return later.length === 0 ? 0 : later.at(-1).ordinal - ordinal - mine;
  }

  /** The end begins here, and nothing else is known. */
  restart(from = 0, hasEarlier = false) {
    this.#end = { from, to: Infinity, hasEarlier };
    this.#old = null;
    this.#asked = null;
  }

  showEnd() {
    this.#old = null;
    this.#letGo();
  }

  /** Shows the stretch with the message at that place. False: it is not here, and is to be asked for. */
  show(seq) {
    if (!this.#lines.has(seq) || !this.#includes(seq)) return false;
    if (!isIn(this.shown, seq)) this.showEnd();
    return true;
  }

  askEarlier(room) {
    return this.shown.hasEarlier ? this.#ask({ room, before: this.shown.from }) : null;
  }

  askLater(room) {
    return this.isAtEnd ? null : this.#ask({ room, after: this.shown.to });
  }

  /** Whatever else was asked does not matter any more. */
  askAround(room, seq) {
    this.#asked = null;
    return this.#ask({ room, around: seq });
  }

  forget(asked = this.#asked) {
    if (asked === this.#asked) this.#asked = null;
  }

  /** Whether the answer still counts. */
  take(asked, page) {
    if (asked !== this.#asked) return false;
    this.#asked = null;
    if (asked.around !== undefined) this.#goTo(page);
    else if (asked.after !== undefined) this.#growDown(page);
    else this.#growUp(page);
    return true;
  }

  keepLatest(count) {
    const lines = this.#linesOf(this.#end);
    this.#old = null;
    if (lines.length > count) this.#end = { from: lines.at(-count).seq, to: Infinity, hasEarlier: true };
    this.#letGo();
  }

  /** So many on either side of that place, and a quarter as many of the end. */
  keepNear(seq, count) {
    const lines = this.lines();
    const place = lines.findIndex((line) => line.seq >= seq);
    if (place < 0) return;
    const from = place > count ? { from: lines[place - count].seq, hasEarlier: true } : {};
    const near = { ...this.shown, ...from, to: lines[place + count]?.seq ?? this.shown.to };
    const endFrom = this.#linesOf(this.#end).at(-Math.ceil(count / 4))?.seq ?? this.#end.from;
    const isNearEnd = this.isAtEnd && near.to >= endFrom;
    this.#end = isNearEnd ? { ...near, to: Infinity } : { from: endFrom, to: Infinity, hasEarlier: true };
    this.#old = isNearEnd ? null : near;
    this.#letGo();
  }

  /** Whatever page is on its way may be older than what went. */
  #letGo() {
    this.#asked = null;
    this.#lines.keep((seq) => this.#includes(seq));
  }

  #linesOf({ from, to }) {
    return this.#lines.between(from, to);
  }

  #includes(seq) {
    return isIn(this.#end, seq) || (this.#old !== null && isIn(this.#old, seq));
  }

  #ask(question) {
    if (this.#asked) return null;
    this.#asked = question;
    return question;
  }

  #growUp({ messages, more }) {
    this.shown.from = Math.min(this.shown.from, ...messages.map(({ seq }) => seq));
    this.shown.hasEarlier = more && messages.length > 0;
  }

  #growDown({ messages }) {
    this.#old.to = messages.at(-1)?.seq ?? this.#end.from;
    this.#joinEnd();
  }

  #goTo({ messages, earlier }) {
    this.#old = { from: messages[0].seq, to: messages.at(-1).seq, hasEarlier: earlier };
    this.#joinEnd();
  }

  /** An old stretch that reaches the end is the end. */
  #joinEnd() {
    if (this.#old.to < this.#end.from) return;
    if (this.#old.from < this.#end.from) this.#end = { ...this.#old, to: Infinity };
    this.#old = null;
  }
}

function isIn({ from, to }, seq) {
  return seq >= from && seq <= to;
}
