import { ERROR } from "../client/constants.js";
import { gettext } from "../page/i18n.js";

const RETRY_MS = 3000;
const KEPT_AFTER_MS = 500;
const GONE = [ERROR.NOT_FOUND, ERROR.FORBIDDEN, ERROR.BAD_FRAME];
const END = Object.freeze({});

/**
 * Goes to single messages and back: by a link, with Back and Forward, and to the end of the room again. Each entry of
 * the browser's history knows its place: {seq}, a message; {seq, topPx}, where one had scrolled to; {}, the end.
 */
export class Jumps {
  #window;
  #chat;
  #room;
  #view;
  #links;
  #clock;
  #notice;
  #words;
  #announcer;
  #wanted = null;
  #isAsking = false;
  #askTimer = null;
  #keepTimer = null;

  constructor({ window, chat, room, view, links, clock, announcer }) {
    const { document } = window;
    this.#window = window;
    this.#chat = chat;
    this.#room = room;
    this.#view = view;
    this.#links = links;
    this.#clock = clock;
    this.#announcer = announcer;
    this.#notice = document.getElementById("not-found");
    this.#words = document.getElementById("not-found-words");
    chat.on("room", (changed) => changed === room && this.#ask());
    window.addEventListener("popstate", ({ state }) => this.#returned(state));
    document.getElementById("messages").addEventListener("scroll", () => this.#keepSoon(), { passive: true });
    document.getElementById("message-list").addEventListener("click", (event) => this.#clicked(event));
    document.getElementById("new-messages").addEventListener("click", () => this.toEnd());
    document.getElementById("not-found-close").addEventListener("click", () => (this.#notice.hidden = true));
  }

  /** The page was opened: at a message, where one was before, or at the end. */
  begin() {
    const place = this.#window.history.state?.place ?? this.#addressed();
    this.#replace(place);
    if (place.seq === undefined) return;
    this.#view.hold();
    this.#want(place);
  }

  toMessage(seq) {
    this.#enter({ seq }, this.#links.to(seq));
    this.#want({ seq });
  }

  toEnd() {
    const isElsewhere = this.#addressed().seq !== undefined || !this.#room.isAtEnd;
    if (isElsewhere) this.#enter(END, this.#links.room);
    this.#want(END);
  }

  #clicked(event) {
    const link = event.target.closest("a[href]");
    const seq = link && this.#links.seqOf(link.href);
    if (!seq || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.toMessage(seq);
  }

  /** An entry that is not ours is one of this page's own fragments: nothing moves. */
  #returned(state) {
    this.#clock.clearTimeout(this.#keepTimer);
    if (state?.place) this.#want(state.place);
    else this.#replace(this.#view.place());
  }

  #want(place) {
    this.#wanted = place;
    this.#notice.hidden = true;
    this.#clock.clearTimeout(this.#askTimer);
    this.#askTimer = null;
    if (place.seq === undefined) this.#arrived(() => this.#view.toEnd());
    else this.#ask();
  }

  /** Asks for what is wanted as soon as the room is there, and says nothing of what is no longer wanted. */
  async #ask() {
    const place = this.#wanted;
    if (!place || this.#isAsking || this.#askTimer || !(this.#room.isLive || this.#room.showAround(place.seq))) return;
    this.#isAsking = true;
    const outcome = await this.#chat.showAround(this.#room.slug, place.seq).catch((error) => error);
    this.#isAsking = false;
    if (place !== this.#wanted) return this.#ask();
    if (outcome === true) this.#arrived(() => this.#view.showPlace(place));
    else if (outcome) this.#failed(outcome);
  }

  #arrived(show) {
    this.#wanted = null;
    show();
  }

  #failed({ code, retryAfterMs }) {
    if (GONE.includes(code)) return this.#lost();
    this.#view.release();
    this.#askTimer = this.#clock.setTimeout(() => {
      this.#askTimer = null;
      this.#ask();
    }, retryAfterMs ?? RETRY_MS);
  }

  #lost() {
    this.#arrived(() => this.#view.toEnd());
    this.#window.history.replaceState({ place: END }, "", this.#links.room);
    this.#notice.hidden = false;
    this.#words.textContent = gettext("This message doesn't exist, or you can't see it.");
    this.#announcer.say(this.#words.textContent);
  }

  #addressed() {
    const seq = this.#links.seqOf(this.#window.location.href);
    return seq === null ? END : { seq };
  }

  /** A new entry in the browser's history; the one that is left knows its place. */
  #enter(place, address) {
    this.#keep();
    this.#window.history.pushState({ place }, "", address);
  }

  #keepSoon() {
    this.#clock.clearTimeout(this.#keepTimer);
    this.#keepTimer = this.#clock.setTimeout(() => this.#keep(), KEPT_AFTER_MS);
  }

  /** While something else is under way, what is seen is of the entry before. */
  #keep() {
    this.#clock.clearTimeout(this.#keepTimer);
    if (!this.#wanted && this.#room.isKnown) this.#replace(this.#view.place());
  }

  #replace(place) {
    this.#window.history.replaceState({ place }, "");
  }
}
