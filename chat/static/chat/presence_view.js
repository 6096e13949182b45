import { gettext, interpolate } from "./text.js";
import { wearFace } from "./face.js";

/** Shows who is in the room, or how many where they are too many to name. */
export class PresenceView {
  #document;
  #me;

  constructor({ document, chat, room }) {
    this.#document = document;
    this.#me = chat.name;
    chat.on("presence", (changed) => changed.room === room && this.#show(changed.presence));
  }

  #show({ names, count }) {
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
  return interpolate(gettext("%(count)s people are here. Names are not listed in a room this big."), { count });
}
