import { gettext, interpolate } from "../page/i18n.js";
import { wearFace } from "../page/avatar.js";
import { STATE } from "../client/constants.js";

const PAST_AFTER_MS = 2000;

/**
 * Shows who is in the room, or how many where they are too many to name. Without a line, or without a place in the room,
 * that soon becomes the past, and is shown as such until it is known anew.
 */
export class PresenceView {
  #document;
  #me;
  #clock;
  #timer = null;
  #isKnown = false;

  constructor({ document, chat, room, clock }) {
    this.#document = document;
    this.#me = chat.name;
    this.#clock = clock;
    chat.on("presence", (changed) => changed.room === room && this.#show(changed.presence));
    chat.on("state", ({ name }) => name !== STATE.ONLINE && this.#isCut());
    chat.on("room", (changed) => changed === room && room.refusal && this.#isCut());
  }

  /** A short break is not worth a flicker. */
  #isCut() {
    if (this.#isKnown) this.#timer ??= this.#clock.setTimeout(() => this.#mark({ isPast: true }), PAST_AFTER_MS);
  }

  #mark({ isPast }) {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#isKnown = !isPast;
    this.#document.body.toggleAttribute("data-people-past", isPast);
  }

  #show({ names, count }) {
    this.#mark({ isPast: false });
    const isNamed = names.length === count;
    const counters = this.#document.querySelectorAll("#people-count, [data-people-count]");
    for (const counter of counters) counter.textContent = count;
    this.#showPeople(isNamed ? names : []);
    this.#showNote(isNamed ? "" : manyWords(count));
  }

  #showPeople(names) {
    this.#document.getElementById("people").replaceChildren(...names.map((name) => this.#person(name)));
  }

  #person(name) {
    const item = this.#document.createElement("li");
    item.textContent = name;
    item.dir = "auto";
    wearFace(item, name);
    item.toggleAttribute("data-self", name === this.#me);
    return item;
  }

  #showNote(words) {
    const note = this.#document.getElementById("people-note");
    note.hidden = words === "";
    note.textContent = words;
  }
}

function manyWords(count) {
  return interpolate(gettext("%(count)s people online. (Names are hidden in large rooms.)"), { count });
}
