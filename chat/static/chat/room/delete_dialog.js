import { closeOutside } from "../page/dialogs.js";
import { spoken } from "./message_element.js";

const SHOWN_CHARACTERS = 300;

/** Asks once before a message goes for ever, and shows which. */
export class DeleteDialog {
  #dialog;
  #text;

  constructor({ document }) {
    this.#dialog = document.getElementById("delete-dialog");
    this.#text = document.getElementById("delete-text");
    closeOutside(this.#dialog);
  }

  /** The promise says whether to delete it. */
  ask(line) {
    this.#text.textContent = spoken(line).slice(0, SHOWN_CHARACTERS);
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    return new Promise((answer) => {
      this.#dialog.addEventListener("close", () => answer(this.#dialog.returnValue === "delete"), { once: true });
    });
  }
}
