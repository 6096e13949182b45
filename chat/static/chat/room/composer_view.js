import { gettext, interpolate } from "../page/i18n.js";

const COUNTER_FROM = 0.9;
/** The box takes so many times as much as a message may have: room to shorten, and no more than a browser lays out. */
const KEPT_LIMITS = 2;
/** Where the keyboard is on the screen, Enter begins a line and the button sends. */
const ON_SCREEN_KEYBOARD = "(pointer: coarse)";
const DRAFT_EVERY_MS = 300;
const IME_KEY_CODE = 229;

/**
 * Where one writes: Enter sends, Shift+Enter begins a line, and what is not sent is still there after a reload. A message of
 * one's own is edited here too; the draft waits meanwhile.
 */
export class ComposerView {
  #chat;
  #room;
  #outbox;
  #clock;
  #sent;
  #wantsToEdit;
  #editing = null;
  #context;
  #form;
  #text;
  #counter;
  #button;
  #draftTimer = null;
  #savedText = "";
  #isOnScreenKeyboard;
  #wasCut = false;
  /** What a key does, where it does anything. */
  #keys = {
    Enter: () => !this.#isOnScreenKeyboard() && (() => this.#send()),
    Escape: () => this.#editing && (() => this.#endEditing()),
    ArrowUp: () => !this.#editing && this.#text.value === "" && (() => this.#wantsToEdit()),
  };

  /** `sent` is called after each message, `wantsToEdit` when somebody goes up from an empty box. */
  constructor({ window, chat, room, outbox, clock, sent, wantsToEdit = () => {} }) {
    const { document } = window;
    this.#chat = chat;
    this.#room = room;
    this.#outbox = outbox;
    this.#clock = clock;
    this.#sent = sent;
    this.#wantsToEdit = wantsToEdit;
    this.#isOnScreenKeyboard = () => window.matchMedia(ON_SCREEN_KEYBOARD).matches;
    this.#form = document.getElementById("composer");
    this.#context = document.getElementById("composer-context");
    this.#text = document.getElementById("composer-text");
    this.#counter = document.getElementById("composer-counter");
    this.#button = document.getElementById("composer-send");
    this.#form.addEventListener("submit", (event) => this.#submitted(event));
    this.#text.addEventListener("keydown", (event) => this.#keyPressed(event));
    this.#text.addEventListener("beforeinput", (event) => this.#toBeInserted(event));
    this.#text.addEventListener("input", () => this.#typed());
    document.getElementById("composer-cancel").addEventListener("click", () => this.#endEditing());
    window.addEventListener("pagehide", () => this.#saveDraft());
    document.addEventListener("visibilitychange", () => this.#saveDraft());
    this.#restoreDraft();
    this.#show();
  }

  /** Takes a message of one's own into the box. */
  edit({ seq, text }) {
    this.#saveDraft();
    this.#chat.stoppedTyping(this.#room.slug);
    this.#editing = { seq, text };
    this.#put(text);
    this.#text.focus();
    this.#text.setSelectionRange(text.length, text.length);
  }

  /** Puts something where one is writing, in place of what is selected. */
  insert(words) {
    const { selectionStart, selectionEnd } = this.#text;
    this.#text.setRangeText(words, selectionStart, selectionEnd, "end");
    this.#text.focus();
    this.#typed();
  }

  #endEditing() {
    this.#editing = null;
    this.#put(this.#savedText);
    this.#text.focus();
  }

  #put(text) {
    this.#text.value = text;
    this.#wasCut = false;
    this.#context.hidden = !this.#editing;
    this.#show();
  }

  #submitted(event) {
    event.preventDefault();
    this.#send();
  }

  #keyPressed(event) {
    const isComposing = event.isComposing || event.keyCode === IME_KEY_CODE;
    const act = isComposing || event.shiftKey ? undefined : this.#keys[event.key]?.();
    if (!act) return;
    event.preventDefault();
    act();
  }

  /**
   * What is pasted or dropped may be a film: a browser that lays it out stands still for seconds. It is cut before, and is
   * still where it was copied from.
   */
  #toBeInserted(event) {
    const { selectionStart, selectionEnd, textLength } = this.#text;
    const free = Math.max(0, this.#keptLength - textLength + selectionEnd - selectionStart);
    if (event.isComposing || !event.data || event.data.length <= free) return;
    event.preventDefault();
    this.#text.setRangeText(event.data.slice(0, free), selectionStart, selectionEnd, "end");
    this.#typed(true);
  }

  get #keptLength() {
    return KEPT_LIMITS * this.#chat.textLimit;
  }

  #typed(wasCut = false) {
    this.#cut();
    this.#wasCut ||= wasCut;
    if (this.#editing) return this.#show();
    if (this.#text.textLength > 0) this.#chat.typing(this.#room.slug);
    else this.#chat.stoppedTyping(this.#room.slug);
    this.#clock.clearTimeout(this.#draftTimer);
    this.#draftTimer = this.#clock.setTimeout(() => this.#saveDraft(), DRAFT_EVERY_MS);
    this.#show();
  }

  #send() {
    if (!this.#maySend()) return;
    if (this.#editing) return this.#sendEdit();
    this.#chat.post(this.#room.slug, this.#text.value.trim());
    this.#text.value = "";
    this.#saveDraft();
    this.#show();
    this.#text.focus();
    this.#sent();
  }

  #sendEdit() {
    const { seq, text } = this.#editing;
    const newText = this.#text.value.trim();
    if (newText !== text) this.#chat.edit(this.#room.slug, seq, newText);
    this.#endEditing();
  }

  /** However it came in: each key after it would take seconds. */
  #cut() {
    this.#wasCut = this.#text.textLength > this.#keptLength;
    if (this.#wasCut) this.#text.value = this.#text.value.slice(0, this.#keptLength);
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
    if (this.#editing || this.#text.value === this.#savedText) return;
    this.#savedText = this.#text.value;
    this.#outbox.saveDraft(this.#room.slug, this.#savedText);
  }

  async #restoreDraft() {
    const draft = await this.#outbox.draft(this.#room.slug);
    if (!draft || this.#editing || this.#text.value) return;
    this.#text.value = this.#savedText = draft.slice(0, this.#keptLength);
    this.#show();
  }
}

function counterWords(left, wasCut) {
  if (wasCut) return gettext("Too long: the end was left out");
  if (left >= 0) return String(left);
  return interpolate(gettext("%(count)s characters over the limit"), { count: -left });
}
