import { CLOSE, STATE } from "../client/constants.js";
import { gettext } from "./i18n.js";
import { stateWords } from "./words.js";

const COUNTDOWN_EVERY_MS = 1000;
const LINED = [STATE.CONNECTING, STATE.ONLINE];
const TRYING = [...LINED, STATE.WAITING, STATE.OFFLINE];

/** Connecting helps nobody who has a line, no network, or no account any more. */
function helps({ name, code }) {
  if (LINED.includes(name) || name === STATE.SIGNED_OUT || name === STATE.OFFLINE) return false;
  return code !== CLOSE.ACCOUNT_DISABLED;
}

/** Shows the state of the connection in words, with the buttons that change it. */
export class StatusView {
  #document;
  #clock;
  #announcer;
  #timer = null;
  #wasOnline = false;

  constructor({ document, chat, clock, announcer }) {
    this.#document = document;
    this.#clock = clock;
    this.#announcer = announcer;
    this.#part("connect").addEventListener("click", () => chat.connect());
    this.#part("disconnect").addEventListener("click", () => chat.disconnect());
    chat.on("state", (state) => this.#changed(state));
    this.#show(chat.state);
  }

  #changed(state) {
    this.#show(state);
    this.#announce(state);
  }

  #show(state) {
    const { name } = state;
    this.#part("status").dataset.state = name;
    this.#part("connect").textContent = name === STATE.REPLACED ? gettext("Use this tab") : gettext("Connect");
    this.#part("connect").hidden = !helps(state);
    this.#part("disconnect").hidden = !TRYING.includes(name) || name === STATE.OFFLINE;
    this.#part("sign-in-again").hidden = name !== STATE.SIGNED_OUT;
    this.#count(state);
  }

  #count(state) {
    this.#clock.clearTimeout(this.#timer);
    this.#part("status-text").textContent = stateWords(state, this.#clock.now());
    if (state.until) this.#timer = this.#clock.setTimeout(() => this.#count(state), COUNTDOWN_EVERY_MS);
  }

  /** Says what changed for the person: being cut off and being back, not each attempt. */
  #announce(state) {
    const isOnline = state.name === STATE.ONLINE;
    const isOver = !TRYING.includes(state.name);
    if (isOver || isOnline !== this.#wasOnline) this.#announcer.say(stateWords(state, this.#clock.now()));
    this.#wasOnline = isOnline;
  }

  #part(id) {
    return this.#document.getElementById(id);
  }
}
