import { gettext } from "../page/i18n.js";

const RETRY_MS = 3000;

/** The upper and the lower edge of what is shown: what is beyond is loaded as one comes near, and what is under way is said. */
export class Edges {
  #chat;
  #room;
  #clock;
  #changed;
  #earlier;
  #later;
  #failedAt = -Infinity;

  /** `changed` is called when there is something else to say. */
  constructor({ document, chat, room, clock, changed }) {
    this.#chat = chat;
    this.#room = room;
    this.#clock = clock;
    this.#changed = changed;
    this.#earlier = document.getElementById("earlier");
    this.#later = document.getElementById("later");
    for (const edge of [this.#earlier, this.#later]) edge.dataset.state = "idle";
  }

  loadEarlier() {
    if (this.#room.hasEarlier) this.#load(this.#earlier, () => this.#chat.loadEarlier(this.#room.slug));
  }

  loadLater() {
    if (!this.#room.isAtEnd) this.#load(this.#later, () => this.#chat.loadLater(this.#room.slug));
  }

  /** `isCleared`: what is above was put away. */
  show({ isEmpty, isCleared }) {
    const isBeginning = this.#room.isKnown && !this.#room.hasEarlier && !isEmpty;
    say(this.#earlier, isCleared ? "" : earlierWords(stateOf(this.#earlier, isBeginning)));
    say(this.#later, this.#room.isAtEnd ? "" : laterWords(this.#later.dataset.state));
  }

  async #load(edge, load) {
    if (!this.#mayLoad()) return;
    this.#set(edge, "loading");
    try {
      await load();
      this.#set(edge, "idle");
    } catch {
      this.#failedAt = this.#clock.now();
      this.#set(edge, "failed");
    }
  }

  /** One page at a time; who asks again and again would be refused for that. */
  #mayLoad() {
    const isLoading = [this.#earlier, this.#later].some((edge) => edge.dataset.state === "loading");
    const isSoon = Math.abs(this.#clock.now() - this.#failedAt) < RETRY_MS;
    return !isLoading && !isSoon && this.#room.isLive;
  }

  #set(edge, state) {
    edge.dataset.state = state;
    this.#changed();
  }
}

function stateOf(edge, isBeginning) {
  return isBeginning && edge.dataset.state === "idle" ? "beginning" : edge.dataset.state;
}

function say(edge, words) {
  edge.hidden = words === "";
  edge.textContent = words;
}

function earlierWords(state) {
  if (state === "loading") return gettext("Loading earlier messages…");
  if (state === "failed") return gettext("Earlier messages did not load. Scroll up to try again.");
  if (state === "beginning") return gettext("This is the start of the room.");
  return "";
}

function laterWords(state) {
  if (state === "loading") return gettext("Loading later messages…");
  if (state === "failed") return gettext("Later messages did not load. Scroll down to try again.");
  return "";
}
