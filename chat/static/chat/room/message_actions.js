import { DEED, deedsFor, lastOfMine } from "./deeds.js";
import { copyText } from "../page/clipboard.js";
import { gettext } from "../page/i18n.js";
import { onLongTap } from "./long_tap.js";

/** What people do with a message that is there: the buttons at it, the sheet under a finger, the arrow from the composer. */
export class MessageActions {
  #window;
  #chat;
  #room;
  #toast;
  #links;
  #composer;
  #toolbar;
  #sheet;
  #picker;
  #deletion;

  constructor({ window, chat, room, clock, links, toast, composer, toolbarAt, sheet, picker, deletion }) {
    this.#window = window;
    this.#chat = chat;
    this.#room = room;
    this.#toast = toast;
    this.#links = links;
    this.#composer = composer;
    this.#sheet = sheet;
    this.#picker = picker;
    this.#deletion = deletion;
    this.#toolbar = toolbarAt((message) => this.#deeds(this.#lineAt(message)));
    const list = window.document.getElementById("message-list");
    list.addEventListener("click", ({ target }) => this.#pressed(target));
    sheet.element.addEventListener("click", ({ target }) => this.#pressed(target));
    onLongTap(list, { clock, act: (target) => this.#openSheet(this.#lineAt(target)) });
  }

  /** The messages have changed. */
  refresh() {
    this.#toolbar.refresh();
  }

  editLast() {
    const line = lastOfMine(this.#room.lines(), { me: this.#chat.name });
    if (line) this.#composer.edit(line);
  }

  #pressed(target) {
    const button = target.closest("[data-action]");
    const line = button && this.#lineAt(button);
    if (line) this.#do(button.dataset, line, button);
  }

  #do({ action, emoji }, line, button) {
    const nonce = line.change?.nonce ?? line.nonce;
    if (action === "copy-code") this.#copy(button.previousElementSibling.textContent, gettext("Copied"));
    if (action === "retry") this.#chat.retry(nonce);
    if (action === "discard") this.#chat.discard(nonce);
    if (!this.#deeds(line).includes(action === "pick" ? DEED.REACT : action)) return;
    if (action === "react") this.#react(line, emoji);
    if (action === "pick") this.#picker.open(button, (picked) => this.#react(line, picked));
    if (action === "edit") this.#composer.edit(line);
    if (action === "copy") this.#copy(line.text, gettext("Copied"));
    if (action === "link") this.#copy(this.#links.absolute(line.seq), gettext("Link copied"));
    if (action === "delete") this.#delete(line);
  }

  #react({ key }, emoji) {
    const { seq, reactions = {} } = this.#line(key);
    this.#chat.react(this.#room.slug, seq, emoji, !(reactions[emoji] ?? []).includes(this.#chat.name));
  }

  async #copy(text, done) {
    try {
      await copyText(this.#window, text);
      this.#toast.show(done);
    } catch {
      this.#toast.show(gettext("This browser does not allow copying."));
    }
  }

  async #delete(line) {
    if (await this.#deletion.ask(line)) this.#chat.delete(this.#room.slug, line.seq);
  }

  #openSheet(line) {
    const deeds = this.#deeds(line);
    if (deeds.length > 0) this.#sheet.open(line, deeds);
  }

  #deeds(line) {
    return line ? deedsFor(line, { me: this.#chat.name, mayModerate: this.#room.mayModerate }) : [];
  }

  #lineAt(element) {
    return this.#line(element.closest("[data-key]")?.dataset.key);
  }

  #line(key) {
    return this.#room.lines().find((line) => line.key === key);
  }
}
