import { MessageElements, statusOf } from "./message_element.js";
import { MessageList } from "./message_list.js";
import { Scroller } from "./scroller.js";
import { arrange } from "./timeline.js";
import { gettext } from "../page/i18n.js";
import { isVisible } from "../page/browser.js";
import { newMessagesWords, roomRefusalWords } from "../page/words.js";
import { STATUS } from "../client/constants.js";

const SLOW_AFTER_MS = 2000;
const HISTORY_RETRY_MS = 3000;
const KEPT_LINES = 300;
const LINES_LIMIT = 600;

/** Shows one room: its messages, older ones on the way up, and a way down to the new ones. */
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
  #bottomSeq = 0;
  #clearedSeq = 0;
  #history = "idle";
  #historyFailedAt = -Infinity;

  /** `shown` is called after each showing. */
  constructor({ window, chat, room, clock, times, shown = () => {} }) {
    this.#chat = chat;
    this.#room = room;
    this.#clock = clock;
    this.#times = times;
    this.#shown = shown;
    this.#window = window;
    this.#document = window.document;
    this.#list = new MessageList({
      list: this.#part("message-list"),
      elements: new MessageElements({ document: this.#document, times, me: chat.name }),
    });
    this.#scroller = new Scroller({
      element: this.#part("messages"),
      list: this.#part("message-list"),
      ResizeObserver: window.ResizeObserver,
      moved: () => this.#moved(),
    });
    this.#listen(chat, room);
    this.#schedule();
  }

  toBottom() {
    this.#scroller.toBottom();
    this.#moved();
  }

  #listen(chat, room) {
    chat.on("state", () => this.#schedule());
    chat.on("room", (changed) => changed === room && this.#schedule());
    this.#document.addEventListener("visibilitychange", () => this.#tellSeen());
    this.#part("clear").addEventListener("click", () => this.#clear(room.lastSeq));
    this.#part("show-cleared").addEventListener("click", () => this.#clear(0));
    this.#part("new-messages").addEventListener("click", () => this.toBottom());
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
    this.#letGo();
    const lines = this.#shownLines();
    const items = arrange(lines, (moment) => this.#times.day(moment));
    this.#scroller.keepInPlace(() => {
      this.#list.show(items, (line) => this.#isSlow(line), this.#chat.isOnline);
      this.#showNotes(lines);
      this.#shown();
    });
    if (lines.some((line) => statusOf(line) === STATUS.SENDING)) this.#showAgainLater();
  }

  /** Who stays at the bottom for long does not gather the whole conversation. */
  #letGo() {
    const isLong = this.#room.lines().length > LINES_LIMIT;
    if (isLong && this.#scroller.isAtBottom) this.#room.keepLatest(KEPT_LINES);
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
    this.#showEarlier(isCleared ? "" : this.#earlierState(lines));
    this.#showRefusal(this.#room.refusal);
    this.#showTitle();
  }

  #earlierState(lines) {
    if (this.#history !== "idle") return this.#history;
    return this.#room.isKnown && !this.#room.hasEarlier && lines.length > 0 ? "beginning" : "";
  }

  #showEarlier(state) {
    const earlier = this.#part("earlier");
    earlier.hidden = state === "";
    earlier.dataset.state = state;
    earlier.textContent = this.#earlierWords(state);
  }

  #earlierWords(state) {
    if (state === "loading") return gettext("Loading earlier messages…");
    if (state === "failed") return gettext("Earlier messages did not load. Scroll up to try again.");
    if (state === "beginning") return gettext("This is the start of the room.");
    return "";
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
    if (this.#scroller.isAtBottom) this.#bottomSeq = this.#room.lastSeq;
    this.#showWayDown();
    this.#tellSeen();
    if (this.#scroller.isNearTop && this.#clearedSeq === 0) this.#loadEarlier();
  }

  #showWayDown() {
    const isNews = ({ seq, author }) => seq > this.#bottomSeq && author !== this.#chat.name;
    const count = this.#scroller.isAtBottom ? 0 : this.#room.lines().filter(isNews).length;
    const button = this.#part("new-messages");
    button.hidden = this.#scroller.isAtBottom || (count === 0 && !this.#scroller.isFarFromBottom);
    button.textContent = newMessagesWords(count);
  }

  #tellSeen() {
    const seq = Number(this.#scroller.lastVisible()?.dataset.seq);
    if (seq && isVisible(this.#document)) this.#chat.seen(this.#room.slug, seq);
  }

  async #loadEarlier() {
    if (!this.#mayLoadEarlier()) return;
    this.#setHistory("loading");
    try {
      await this.#chat.loadEarlier(this.#room.slug);
      this.#setHistory("idle");
    } catch {
      this.#historyFailedAt = this.#clock.now();
      this.#setHistory("failed");
    }
  }

  #mayLoadEarlier() {
    const isSoon = Math.abs(this.#clock.now() - this.#historyFailedAt) < HISTORY_RETRY_MS;
    return this.#history !== "loading" && !isSoon && this.#room.hasEarlier && this.#room.isLive;
  }

  #setHistory(state) {
    this.#history = state;
    this.#show();
  }

  #clear(seq) {
    this.#clearedSeq = seq;
    this.#scroller.toBottom();
    this.#schedule();
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

  #part(id) {
    return this.#document.getElementById(id);
  }
}
