import { closeOutside } from "../page/dialogs.js";
import { findEmoji } from "./emoji_search.js";

const MARGIN_PX = 8;

/** Every emoji, by group or by search, fetched when they are first wanted. Arrows walk through them, Enter takes one. */
export class EmojiPicker {
  #window;
  #dialog;
  #search;
  #grid;
  #load;
  #groups = null;
  #picked = () => {};

  /** `load` promises the groups, as `findEmoji` takes them. */
  constructor({ window, load }) {
    const { document } = window;
    this.#window = window;
    this.#load = load;
    this.#dialog = document.getElementById("picker");
    this.#search = document.getElementById("picker-search");
    this.#grid = document.getElementById("picker-grid");
    closeOutside(this.#dialog);
    this.#search.addEventListener("input", () => this.#show());
    this.#dialog.addEventListener("keydown", (event) => this.#keyPressed(event));
    this.#grid.addEventListener("click", ({ target }) => target.dataset.emoji && this.#pick(target.dataset.emoji));
  }

  /** Beside the element that opens it; `picked(emoji)` is called once, or never. */
  async open(opener, picked) {
    const place = opener.getBoundingClientRect();
    this.#picked = picked;
    this.#search.value = "";
    this.#dialog.showModal();
    this.#putBeside(place);
    await this.#fill();
  }

  async #fill() {
    this.#dialog.dataset.state = this.#groups ? "ready" : "loading";
    try {
      this.#groups ??= await this.#load();
      this.#dialog.dataset.state = "ready";
    } catch {
      this.#dialog.dataset.state = "failed";
    }
    this.#show();
  }

  #show() {
    const groups = this.#groups ?? [];
    const query = this.#search.value.trim();
    const shown = query ? [["", ...findEmoji(groups, query)]] : groups;
    this.#grid.replaceChildren(...shown.filter(([, first]) => first).map((group) => this.#section(group)));
    this.#grid.scrollTop = 0;
    this.#dialog.toggleAttribute("data-empty", query !== "" && this.#options().length === 0);
  }

  #section([title, ...emoji]) {
    const section = this.#create("section", { className: "picker-group" });
    if (title) section.append(this.#create("h3", { className: "picker-title", textContent: title }));
    section.append(...emoji.map(([sign, name]) => this.#option(sign, name)));
    return section;
  }

  #option(sign, name) {
    const option = this.#create("button", { type: "button", className: "picker-emoji", textContent: sign, title: name });
    option.dataset.emoji = sign;
    option.tabIndex = -1;
    option.setAttribute("aria-label", name);
    return option;
  }

  #keyPressed(event) {
    if (event.isComposing) return;
    const next = this.#next(event.key);
    const isTaken = event.key === "Enter" && event.target === this.#search;
    if (isTaken && this.#options()[0]) this.#pick(this.#options()[0].dataset.emoji);
    if (next) next.focus();
    if (next || isTaken) event.preventDefault();
    else if (event.key.length === 1 && event.target !== this.#search) this.#search.focus();
  }

  /** Where an arrow leads: from the search into the emoji, and from the first line of them back. */
  #next(key) {
    const options = this.#options();
    const at = options.indexOf(this.#window.document.activeElement);
    if (at < 0) return key === "ArrowDown" ? options[0] : undefined;
    if (key === "ArrowRight") return options[at + 1];
    if (key === "ArrowLeft") return options[at - 1];
    if (key === "ArrowDown") return this.#below(options, at);
    if (key === "ArrowUp") return this.#above(options, at) ?? this.#search;
    return undefined;
  }

  #below(options, at) {
    const { left, bottom } = options[at].getBoundingClientRect();
    return options.slice(at).find((option) => option.getBoundingClientRect().top >= bottom && isAt(option, left));
  }

  #above(options, at) {
    const { left, top } = options[at].getBoundingClientRect();
    return options.slice(0, at).findLast((option) => option.getBoundingClientRect().bottom <= top && isAt(option, left));
  }

  #pick(emoji) {
    this.#dialog.close();
    this.#picked(emoji);
  }

  /** On a narrow screen it comes from below, whatever these say. */
  #putBeside({ top, right, bottom }) {
    const { innerHeight } = this.#window;
    const { offsetWidth, offsetHeight } = this.#dialog;
    const hasRoomBelow = bottom + offsetHeight + MARGIN_PX <= innerHeight;
    const y = hasRoomBelow ? bottom : Math.max(MARGIN_PX, Math.min(top - offsetHeight, innerHeight - offsetHeight - MARGIN_PX));
    this.#dialog.style.setProperty("--x", `${Math.max(MARGIN_PX, right - offsetWidth)}px`);
    this.#dialog.style.setProperty("--y", `${y}px`);
  }

  #options() {
    return [...this.#grid.querySelectorAll("[data-emoji]")];
  }

  #create(tag, properties) {
    return Object.assign(this.#window.document.createElement(tag), properties);
  }
}

/** In a line of emoji, the one that stands nearest to that place: they are equally wide, and lines may end early. */
function isAt(option, leftPx) {
  const { left, width } = option.getBoundingClientRect();
  return Math.abs(left - leftPx) < width / 2;
}
