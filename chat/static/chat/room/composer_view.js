import { gettext, interpolate } from "../page/i18n.js";

const COUNTER_FROM = 0.9;
/** The box takes so many times as much as a message may have: room to shorten, and no more than a browser lays out. */
const KEPT_LIMITS = 2;
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
  #wasCut = false;

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
    this.#cut();
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

  /** What is pasted may be a film; each key after it would take seconds. It is still where it was copied from. */
  #cut() {
    const kept = KEPT_LIMITS * this.#chat.textLimit;
    this.#wasCut = this.#text.textLength > kept;
    if (this.#wasCut) this.#text.value = this.#text.value.slice(0, kept);
  }

  #maySend() {
    return this.#text.value.trim() !== "" && this.#leftCharacters() >= 0;
  }

  #leftCharacters() {
    return this.#chat.textLimit - [...this.#text.value.trim()].length;
  }

  #show() {
    const left = this.#leftCharacters();
    const isNear = left <= this.#chat.textLimit * (1 - COUNTER_FROM);
    this.#counter.hidden = !isNear;
    this.#counter.toggleAttribute("data-over", left < 0);
    this.#counter.textContent = isNear ? counterWords(left, this.#wasCut) : "";
    this.#button.disabled = !this.#maySend();
    this.#grow();
  }

  #grow() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight + this.#text.offsetHeight - this.#text.clientHeight}px`;
  }

  /** What this page did not change it does not save: another tab may have. */
  #saveDraft() {
    this.#clock.clearTimeout(this.#draftTimer);
    if (this.#text.value === this.#savedText) return;
    this.#savedText = this.#text.value;
    this.#outbox.saveDraft(this.#room.slug, this.#savedText);
  }

  async #restoreDraft() {
    const draft = await this.#outbox.draft(this.#room.slug);
    if (!draft || this.#text.value) return;
    this.#text.value = this.#savedText = draft.slice(0, KEPT_LIMITS * this.#chat.textLimit);
    this.#show();
  }
}

function counterWords(left, wasCut) {
  if (wasCut) return gettext("Too long: the end was left out");
  if (left >= 0) return String(left);
  return interpolate(gettext("%(count)s too many"), { count: -left });
}
