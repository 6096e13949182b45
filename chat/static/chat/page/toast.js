const SHOWN_MS = 2500;

/** A word about what was just done, seen for a moment and heard once. */
export class Toast {
  #element;
  #clock;
  #timer = null;

  constructor({ document, clock }) {
    this.#element = document.getElementById("toast");
    this.#clock = clock;
  }

  show(words) {
    this.#element.textContent = words;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => (this.#element.textContent = ""), SHOWN_MS);
  }
}
