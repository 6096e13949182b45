import { newMessagesWords, roomRefusalWords } from "../page/words.js";
import { spoken } from "./message_element.js";

const GATHERED_MS = 500;
const SPOKEN_MESSAGES = 3;

/** The one polite voice for those who listen to the page: what comes together is said together. */
export class Announcer {
  #element;
  #clock;
  #timer = null;
  #words = [];
  #messages = [];
  #refusal = null;

  constructor({ document, chat, room, clock }) {
    this.#element = document.getElementById("announcer");
    this.#clock = clock;
    chat.on("room", (changed) => changed === room && this.#heedRefusal(room.refusal));
    chat.on("message", ({ room: changed, message }) => {
      if (changed === room && message.author !== chat.name) this.#gather(this.#messages, message);
    });
  }

  say(words) {
    this.#gather(this.#words, words);
  }

  #heedRefusal(code) {
    if (code && code !== this.#refusal) this.say(roomRefusalWords(code));
    this.#refusal = code;
  }

  #gather(heap, thing) {
    heap.push(thing);
    this.#timer ??= this.#clock.setTimeout(() => this.#speak(), GATHERED_MS);
  }

  #speak() {
    this.#element.textContent = [...this.#words, ...messageWords(this.#messages)].join("\n");
    this.#timer = null;
    this.#words = [];
    this.#messages = [];
  }
}

function messageWords(messages) {
  if (messages.length > SPOKEN_MESSAGES) return [newMessagesWords(messages.length)];
  return messages.map((message) => `${message.author}: ${spoken(message)}`);
}
