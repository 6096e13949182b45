import { Edges } from "./edges.js";
import { MessageElements, statusOf } from "./message_element.js";
import { MessageList } from "./message_list.js";
import { Scroller } from "./scroller.js";
import { arrange } from "./timeline.js";
import { isVisible } from "../page/browser.js";
import { newMessagesWords, roomRefusalWords } from "../page/words.js";
import { STATUS } from "../client/constants.js";

const SLOW_AFTER_MS = 2000;
const MARKED_MS = 3000;
const KEPT_LINES = 300;
const KEPT_LINES_NEAR = 200;
const LINES_LIMIT = 600;

/** Shows one room: its end, or an old stretch of it; others on the way up and down, and a way to the new ones. */
export class RoomView {
  #chat;
  #room;
  #clock;
  #times;
  #shown;
  #window;
  #document;
  #list;
  #scroller;
  #isScheduled = false;
  #slowTimer = null;
  #edges;
  #bottomOrdinal = null;
  #clearedSeq = 0;
  #isHeld = false;

  /** `shown` is called after each showing. */
  constructor({ window, chat, room, clock, times, links, shown = () => {} }) {
    this.#chat = chat;
    this.#room = room;
    this.#clock = clock;
    this.#times = times;
    this.#shown = shown;
    this.#window = window;
    this.#document = window.document;
    this.#list = new MessageList({
      list: this.#part("message-list"),
      elements: new MessageElements({ document: this.#document, times, links, me: chat.name }),
    });
    this.#edges = new Edges({ document: this.#document, chat, room, clock, changed: () => this.#show() });
    this.#scroller = new Scroller({
      element: this.#part("messages"),
      list: this.#part("message-list"),
      ResizeObserver: window.ResizeObserver,
      moved: () => this.#moved(),
    });
    this.#listen();
    this.#schedule();
  }

  /** Shows nothing of the conversation yet: a place in it is on its way. */
  hold() {
    this.#isHeld = true;
  }

  release() {
    this.#isHeld = false;
    this.#schedule();
  }

  toEnd() {
    this.#isHeld = false;
    if (!this.#room.isAtEnd) this.#chat.showEnd(this.#room.slug);
    this.#scroller.endsHere(true);
    this.#scroller.toBottom();
    this.#show();
    this.#moved();
  }

  /** Where one is: a message and how far down it is, or nothing at the end. */
  place() {
    const first = this.#scroller.isAtBottom ? undefined : this.#scroller.firstVisible("[data-seq]");
    return first ? { seq: Number(first.row.dataset.seq), topPx: first.topPx } : {};
  }

  /** What is around the message is here. Without a `topPx` it comes into the middle, is marked and gets the focus. */
  showPlace({ seq, topPx }) {
    this.#isHeld = false;
    this.#clearedSeq = 0;
    this.#show();
    const row = this.#row(seq);
    if (topPx === undefined) this.#pointOut(row);
    else this.#scroller.toTop(row, topPx);
    this.#moved();
  }

  #pointOut(row) {
    this.#scroller.toMiddle(row);
    row.focus({ preventScroll: true });
    row.dataset.marked = "";
    this.#clock.setTimeout(() => delete row.dataset.marked, MARKED_MS);
  }

  #listen() {
    this.#chat.on("state", () => this.#schedule());
    this.#chat.on("room", (changed) => changed === this.#room && this.#schedule());
    this.#document.addEventListener("visibilitychange", () => this.#tellSeen());
    this.#part("clear").addEventListener("click", () => this.#clear(this.#room.lastSeq));
    this.#part("show-cleared").addEventListener("click", () => this.#clear(0));
    this.#part("message-list").addEventListener("click", (event) => this.#pressed(event.target));
  }

  /** Many changes make one showing. */
  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#window.requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#show();
      this.#moved();
    });
  }

  #show() {
    if (this.#isHeld && this.#room.isKnown && !this.#room.refusal) return;
    this.#letGo();
    this.#scroller.endsHere(this.#room.isAtEnd);
    const lines = this.#shownLines();
    const items = arrange(lines, (moment) => this.#times.day(moment));
    const focused = this.#document.activeElement;
    this.#scroller.keepInPlace(() => {
      this.#list.show(items, (line) => this.#isSlow(line), this.#chat.isOnline);
      this.#showNotes(lines);
      this.#shown();
    });
    if (!focused.isConnected) this.#part("messages").focus({ preventScroll: true });
    if (lines.some((line) => statusOf(line) === STATUS.SENDING)) this.#showAgainLater();
  }

  /** Who stays here for long, or goes far, does not gather the whole conversation. */
  #letGo() {
    if (this.#room.size <= LINES_LIMIT) return;
    const { seq } = this.place();
    if (seq === undefined) this.#room.keepLatest(KEPT_LINES);
    else this.#room.keepNear(seq, KEPT_LINES_NEAR);
  }

  #shownLines() {
    return this.#room.lines().filter(({ seq = Infinity }) => seq > this.#clearedSeq);
  }

  #showNotes(lines) {
    const isCleared = this.#clearedSeq > 0;
    const isEmpty = this.#room.isKnown && lines.length === 0;
    this.#part("messages").toggleAttribute("data-loading", !this.#room.isKnown && !this.#room.refusal);
    this.#part("cleared").hidden = !isCleared;
    this.#part("empty").hidden = isCleared || !isEmpty || this.#room.hasEarlier;
    this.#edges.show({ isEmpty: lines.length === 0, isCleared });
    this.#showRefusal(this.#room.refusal);
    this.#showTitle();
  }

  #showRefusal(code) {
    this.#part("refusal").hidden = !code;
    this.#part("refusal").textContent = code ? roomRefusalWords(code) : "";
  }

  /** A message says that it is being sent only when that takes a while. */
  #isSlow(line) {
    const since = line.change?.changedAt ?? line.created_at;
    return statusOf(line) === STATUS.SENDING && this.#clock.now() - new Date(since) >= SLOW_AFTER_MS;
  }

  #showAgainLater() {
    this.#clock.clearTimeout(this.#slowTimer);
    this.#slowTimer = this.#clock.setTimeout(() => this.#schedule(), SLOW_AFTER_MS);
  }

  #moved() {
    if (this.#isHeld) return;
    if (this.#scroller.isAtBottom) this.#bottomOrdinal = this.#lastOrdinal();
    this.#showWayDown();
    this.#tellSeen();
    if (this.#scroller.isNearTop && this.#clearedSeq === 0) this.#edges.loadEarlier();
    if (this.#scroller.isNearBottom) this.#edges.loadLater();
  }

  #showWayDown() {
    const { isAtBottom, isFarFromBottom } = this.#scroller;
    const count = isAtBottom ? 0 : this.#room.countAfter(this.#newFrom(), this.#chat.name);
    const button = this.#part("new-messages");
    button.hidden = isAtBottom || (count === 0 && !isFarFromBottom && this.#room.isAtEnd);
    button.textContent = newMessagesWords(count);
  }

  /** Who came in at an old message has new ones since they last read; who never read has none. */
  #newFrom() {
    this.#bottomOrdinal ??= this.#chat.readUpTo(this.#room.slug) || this.#lastOrdinal();
    return this.#bottomOrdinal;
  }

  #lastOrdinal() {
    return this.#room.lineAt(this.#room.lastSeq)?.ordinal ?? 0;
  }

  #tellSeen() {
    const seq = Number(this.#scroller.lastVisible()?.dataset.seq);
    if (seq && isVisible(this.#document)) this.#chat.seen(this.#room.slug, seq);
  }

  #clear(seq) {
    this.#clearedSeq = seq;
    this.toEnd();
  }

  #pressed(target) {
    if (target.dataset.action === "unfold") this.#unfold(target.closest("[data-key]"));
  }

  #unfold(element) {
    element.dataset.unfolded = "";
    delete element.dataset.folded;
    element.querySelector('[data-part="unfold"]').hidden = true;
    element.focus();
  }

  #showTitle() {
    const title = this.#part("room-title");
    if (title.textContent === this.#room.title) return;
    title.textContent = this.#room.title;
    this.#document.title = this.#document.title.replace(/^.*(?= · )/u, this.#room.title);
    const here = this.#document.querySelector("#rooms [aria-current] [data-part=title]");
    if (here) here.textContent = this.#room.title;
  }

  #row(seq) {
    return this.#part("message-list").querySelector(`[data-seq="${seq}"]`);
  }

  #part(id) {
    return this.#document.getElementById(id);
  }
}
