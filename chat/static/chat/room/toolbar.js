const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

/** The row of buttons at the message under the pointer, or at the one that has the focus: there is one for the page. */
export class Toolbar {
  #list;
  #element;
  #deedsOf;
  #message = null;

  /** `deedsOf(message element)`: what may be done with it; nothing, and there is no toolbar. */
  constructor({ document, deedsOf }) {
    this.#list = document.getElementById("message-list");
    this.#element = document.getElementById("toolbar-template").content.firstElementChild.cloneNode(true);
    this.#deedsOf = deedsOf;
    this.#list.addEventListener("pointerover", (event) => event.pointerType === "mouse" && this.#pointTo(event.target));
    this.#list.addEventListener("pointerleave", () => this.#leave());
    this.#list.addEventListener("focusin", ({ target }) => this.#goTo(target));
    this.#list.addEventListener("focusout", ({ relatedTarget }) => this.#message?.contains(relatedTarget) || this.#leave());
    this.#element.addEventListener("keydown", (event) => this.#keyPressed(event));
  }

  /** What may be done with the message may have changed, or the message is gone. */
  refresh() {
    if (this.#message?.isConnected) this.#show(this.#message);
    else this.#hide();
  }

  /** Whoever uses the keys keeps what they have, wherever the pointer lies. */
  #pointTo(target) {
    if (!this.#withKeys()) this.#goTo(target);
  }

  #goTo(target) {
    const message = target.closest("[data-status]");
    if (message && message !== this.#message) this.#show(message);
  }

  #leave() {
    const message = this.#withKeys();
    if (message) this.#show(message);
    else this.#hide();
  }

  /** The message that was reached with the keys. */
  #withKeys() {
    return this.#list.querySelector(":focus-visible")?.closest("[data-status]");
  }

  #show(message) {
    const deeds = this.#deedsOf(message);
    if (deeds.length === 0) return this.#hide();
    this.#buttons().forEach((button) => (button.hidden = !deeds.includes(button.dataset.deed)));
    this.#setTabStop(this.#shownButtons()[0]);
    if (message !== this.#message) this.#moveTo(message);
  }

  /** A button that was pressed with the pointer may have the focus still, and would lose it half way. */
  #moveTo(message) {
    this.#focused()?.blur();
    message.append(this.#element);
    this.#message = message;
  }

  /** The focus is not lost with the button that had it. */
  #hide() {
    const [message, focused] = [this.#message, this.#focused()];
    this.#message = null;
    focused?.blur();
    this.#element.remove();
    if (focused && message?.isConnected) message.focus({ preventScroll: true });
  }

  #focused() {
    const { activeElement } = this.#list.ownerDocument;
    return this.#element.contains(activeElement) ? activeElement : undefined;
  }

  #keyPressed(event) {
    const buttons = this.#shownButtons();
    const next = buttons[buttons.indexOf(event.target) + STEPS[event.key]];
    if (!next) return;
    event.preventDefault();
    this.#setTabStop(next);
    next.focus();
  }

  #setTabStop(stop) {
    this.#buttons().forEach((button) => (button.tabIndex = button === stop ? 0 : -1));
  }

  #shownButtons() {
    return this.#buttons().filter((button) => !button.hidden);
  }

  #buttons() {
    return [...this.#element.querySelectorAll("button")];
  }
}
