import { gettext, interpolate } from "./text.js";

const COUNTER_FROM = 0.9;
/** A text so many times as long as a message may be is counted no further, does not grow the box, and is no draft. */
const MEASURED_LIMITS = 2;
/** Where the keyboard is on the screen, Enter begins a line and the button sends. */
const ON_SCREEN_KEYBOARD = "(pointer: coarse)";
const DRAFT_EVERY_MS = 300;
const IME_KEY_CODE = 229;

/** Where one writes: Enter sends, Shift+Enter begins a line, and what is not sent is still there after a reload. */
export class ComposerView {
  #chat;
  #room;
  #outbox;
  #clock;
  #sent;
  #form;
  #text;
  #counter;
  #button;
  #draftTimer = null;
  #savedText = "";
  #isOnScreenKeyboard;

  /** `sent` is called after each message. */
  constructor({ window, chat, room, outbox, clock, sent }) {
    const { document } = window;
    this.#chat = chat;
    this.#room = room;
    this.#outbox = outbox;
    this.#clock = clock;
    this.#sent = sent;
    this.#isOnScreenKeyboard = () => window.matchMedia(ON_SCREEN_KEYBOARD).matches;
    this.#form = document.getElementById("composer");
    this.#text = document.getElementById("composer-text");
    this.#counter = document.getElementById("composer-counter");
    this.#button = document.getElementById("composer-send");
    this.#form.addEventListener("submit", (event) => this.#submitted(event));
    this.#text.addEventListener("keydown", (event) => this.#keyPressed(event));
    this.#text.addEventListener("input", () => this.#typed());
    window.addEventListener("pagehide", () => this.#saveDraft());
    document.addEventListener("visibilitychange", () => this.#saveDraft());
    this.#restoreDraft();
    this.#show();
  }

  #submitted(event) {
    event.preventDefault();
    this.#send();
  }

  #keyPressed(event) {
    const isComposing = event.isComposing || event.keyCode === IME_KEY_CODE;
    if (event.key !== "Enter" || event.shiftKey || isComposing || this.#isOnScreenKeyboard()) return;
    event.preventDefault();
    this.#send();
  }

  #typed() {
    if (this.#text.textLength > 0) this.#chat.typing(this.#room.slug);
    else this.#chat.stoppedTyping(this.#room.slug);
    this.#clock.clearTimeout(this.#draftTimer);
    this.#draftTimer = this.#clock.setTimeout(() => this.#saveDraft(), DRAFT_EVERY_MS);
    this.#show();
  }

  #send() {
    if (!this.#maySend()) return;
    this.#chat.post(this.#room.slug, this.#text.value.trim());
    this.#text.value = "";
    this.#saveDraft();
    this.#show();
    this.#text.focus();
    this.#sent();
  }

  #maySend() {
    return !this.#isHuge() && this.#text.value.trim() !== "" && this.#leftCharacters() >= 0;
  }

  /** Work for each key must not grow with what was pasted. */
  #isHuge() {
    return this.#text.textLength > MEASURED_LIMITS * this.#chat.textLimit;
  }

  #leftCharacters() {
    return this.#chat.textLimit - [...this.#text.value.trim()].length;
  }

  #show() {
    const isHuge = this.#isHuge();
    const left = isHuge ? this.#chat.textLimit - this.#text.textLength : this.#leftCharacters();
    const isNear = left <= this.#chat.textLimit * (1 - COUNTER_FROM);
    this.#counter.hidden = !isNear;
    this.#counter.toggleAttribute("data-over", left < 0);
    this.#counter.textContent = isNear ? counterWords(left) : "";
    this.#button.disabled = !this.#maySend();
    if (!isHuge) this.#grow();
  }

  #grow() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight + this.#text.offsetHeight - this.#text.clientHeight}px`;
  }

  /** What this page did not change it does not save: another tab may have. */
  #saveDraft() {
    this.#clock.clearTimeout(this.#draftTimer);
    if (this.#isHuge() || this.#text.value === this.#savedText) return;
    this.#savedText = this.#text.value;
    this.#outbox.saveDraft(this.#room.slug, this.#savedText);
  }

  async #restoreDraft() {
    const draft = await this.#outbox.draft(this.#room.slug);
    const isHuge = draft.length > MEASURED_LIMITS * this.#chat.textLimit;
    if (!draft || isHuge || this.#text.value) return;
    this.#text.value = this.#savedText = draft;
    this.#show();
  }
}

function counterWords(left) {
  if (left >= 0) return String(left);
  return interpolate(gettext("%(count)s too many"), { count: -left });
}
