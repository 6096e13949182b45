import { reactionWords } from "../page/words.js";
import { closeOutside } from "../page/dialogs.js";

/** What can be done with a message, from below, for those who have a finger and no pointer; and who reacted. */
export class MessageSheet {
  #dialog;
  #opener = null;

  constructor({ document }) {
    this.#dialog = document.getElementById("sheet");
    closeOutside(this.#dialog);
    this.#dialog.addEventListener("click", ({ target }) => target.closest("button") && this.#dialog.close());
  }

  get element() {
    return this.#dialog;
  }

  open(line, deeds) {
    this.#dialog.dataset.key = line.key;
    this.#dialog.querySelectorAll("[data-deed]").forEach((part) => (part.hidden = !deeds.includes(part.dataset.deed)));
    this.#part("sheet-reactions").replaceChildren(...this.#whoReacted(line));
    this.#dialog.showModal();
  }

  #whoReacted({ reactions = {} }) {
    return Object.entries(reactions).map(([emoji, names]) => {
      const item = this.#dialog.ownerDocument.createElement("li");
      item.textContent = reactionWords(emoji, names);
      return item;
    });
  }

  #part(id) {
    return this.#dialog.ownerDocument.getElementById(id);
  }
}
