import { STATE, TYPING_SHOWN_MS } from "../client/constants.js";
import { typingWords } from "../page/words.js";

const LATE_WITHIN_MS = 1000;

/** Shows who is typing, until they have not been heard typing for a while or their message is there. */
export class TypingView {
  #element;
  #me;
  #clock;
  #timers = new Map();
  #spokeAt = new Map();

  constructor({ document, chat, room, clock }) {
    this.#element = document.getElementById("typing");
    this.#me = chat.name;
    this.#clock = clock;
    chat.on("typing", (typing) => typing.room === room.slug && this.#type(typing));
    chat.on("state", ({ name }) => name !== STATE.ONLINE && this.#forgetAll());
    chat.on("message", (spoken) => spoken.room === room && this.#spoke(spoken.message.author));
  }

  #type({ names, stopped = [] }) {
    stopped.forEach((name) => this.#stop(name));
    names.filter((name) => name !== this.#me && !this.#isLate(name)).forEach((name) => this.#begin(name));
    this.#show();
  }

  #begin(name) {
    const timer = this.#clock.setTimeout(() => this.#stop(name), TYPING_SHOWN_MS);
    this.#clock.clearTimeout(this.#timers.get(name));
    this.#timers.set(name, timer);
  }

  /** Word of typing may come after what was typed. */
  #isLate(name) {
    return Math.abs(this.#clock.now() - (this.#spokeAt.get(name) ?? -Infinity)) < LATE_WITHIN_MS;
  }

  /** Without a line nobody is heard typing, nor stopping. */
  #forgetAll() {
    this.#timers.forEach((timer) => this.#clock.clearTimeout(timer));
    this.#timers.clear();
    this.#show();
  }

  #spoke(name) {
    this.#spokeAt.set(name, this.#clock.now());
    this.#stop(name);
  }

  #stop(name) {
    this.#clock.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
    this.#show();
  }

  #show() {
    const words = typingWords([...this.#timers.keys()]);
    this.#element.textContent = words;
    this.#element.toggleAttribute("data-empty", words === "");
  }
}
