import { Connection } from "../client/connection.js";
import { EVENT, STATE, VERB } from "../client/constants.js";
import { clock, readConfig, socketUrl } from "../page/browser.js";
import { gettext, interpolate } from "../page/i18n.js";
import { median, proxyFindings } from "./findings.js";

const ROUNDS = 7;
const BYTES = 1024;
const PATIENCE_MS = 10_000;
const TEXT = "Straße, 你好, 👋";

/** Opens a socket of its own to the echo, and says in words what works and what something in between changed. */
class ConnectionTest {
  #config = readConfig(document);
  #findings = document.getElementById("findings");
  #verdict = document.getElementById("verdict");
  #again = document.getElementById("test-again");
  #connection = null;
  #seen = null;

  constructor() {
    this.#again.addEventListener("click", () => this.run());
  }

  async run() {
    this.#again.disabled = true;
    this.#connection?.disconnect();
    this.#findings.replaceChildren();
    this.#conclude("wait", gettext("Testing…"));
    const verdicts = await this.#test();
    this.#conclude(...conclusionOf(verdicts));
    this.#again.disabled = false;
  }

  async #test() {
    const http = await this.#find("http", gettext("The site"), () => this.#askOverHttp());
    const handshake = await this.#find("handshake", gettext("Handshake"), () => this.#shakeHands(http));
    if (handshake === "bad") return this.#endEarly([http, handshake]);
    const text = await this.#find("text", gettext("Text"), () => this.#echoText());
    const binary = await this.#find("binary", gettext("Binary"), () => this.#echoBytes());
    const heartbeat = await this.#find("heartbeat", gettext("Heartbeat"), () => this.#beat());
    return [http, handshake, text, binary, heartbeat, ...this.#judgeProxy()];
  }

  #endEarly(verdicts) {
    this.#connection.disconnect();
    return verdicts;
  }

  async #askOverHttp() {
    const startedAt = performance.now();
    const response = await fetch(this.#config.healthPath, { cache: "no-store" });
    if (!response.ok) return ["bad", interpolate(gettext("Answers with the error %(status)s."), response)];
    return ["good", interpolate(gettext("Answers over HTTP in %(ms)s ms."), { ms: since(startedAt) })];
  }

  async #shakeHands(http) {
    const startedAt = performance.now();
    const url = socketUrl(this.#config.echoPath, location);
    this.#connection = new Connection({ WebSocket, url, protocols: [], clock });
    this.#seen = await hello(this.#connection);
    if (!this.#seen) return ["bad", http === "good" ? noUpgradeWords() : gettext("The socket did not open.")];
    return ["good", interpolate(gettext("The socket opened in %(ms)s ms."), { ms: since(startedAt) })];
  }

  async #echoText() {
    const times = [];
    for (let round = 0; round < ROUNDS; round++) {
      const startedAt = performance.now();
      const echo = await this.#connection.request({ type: "echo", text: TEXT });
      if (echo.text !== TEXT) return ["bad", gettext("Text comes back changed.")];
      times.push(performance.now() - startedAt);
    }
    return ["good", roundTripWords(times)];
  }

  async #echoBytes() {
    const times = [];
    const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
    for (let round = 0; round < ROUNDS; round++) {
      const startedAt = performance.now();
      const echo = await bytesBack(this.#connection, bytes);
      if (!areSame(bytes, echo)) return ["bad", gettext("Bytes do not come back as they were.")];
      times.push(performance.now() - startedAt);
    }
    return ["good", roundTripWords(times)];
  }

  async #beat() {
    const startedAt = performance.now();
    await this.#connection.request({ type: VERB.HEARTBEAT, sent: clock.now() });
    const words = gettext(
      "Answered in %(ms)s ms. One every 10 s keeps proxies from closing the connection as idle.",
    );
    return ["good", interpolate(words, { ms: since(startedAt) })];
  }

  #judgeProxy() {
    return proxyFindings(this.#seen, location).map(({ id, name, verdict, words }) => {
      this.#show(this.#add(id, name), verdict, words);
      return verdict;
    });
  }

  async #find(id, name, look) {
    const item = this.#add(id, name);
    this.#show(item, "wait", "…");
    const [verdict, words] = await look().catch(() => ["bad", gettext("No answer.")]);
    this.#show(item, verdict, words);
    return verdict;
  }

  #add(id, name) {
    const item = document.getElementById("finding-template").content.firstElementChild.cloneNode(true);
    item.dataset.finding = id;
    item.querySelector('[data-part="name"]').textContent = name;
    this.#findings.append(item);
    return item;
  }

  #show(item, verdict, words) {
    item.dataset.verdict = verdict;
    item.querySelector('[data-part="words"]').textContent = words;
  }

  #conclude(verdict, words) {
    this.#verdict.dataset.verdict = verdict;
    this.#verdict.textContent = words;
  }
}

/** What the server saw of the handshake, or null when there was none. */
function hello(connection) {
  return new Promise((resolve) => {
    connection.on("frame", ({ type, seen }) => type === EVENT.HELLO && resolve(seen));
    connection.on("state", ({ name }) => name !== STATE.CONNECTING && name !== STATE.ONLINE && resolve(null));
    connection.connect();
  });
}

function bytesBack(connection, bytes) {
  return new Promise((resolve, reject) => {
    clock.setTimeout(reject, PATIENCE_MS);
    const stop = connection.on("bytes", (answer) => {
      stop();
      resolve(new Uint8Array(answer));
    });
    connection.sendBytes(bytes);
  });
}

function areSame(bytes, others) {
  return bytes.length === others.length && bytes.every((byte, place) => byte === others[place]);
}

function since(startedAt) {
  return Math.round(performance.now() - startedAt);
}

function roundTripWords(times) {
  const words = gettext("Unchanged after a round trip of %(ms)s ms (median of %(count)s).");
  return interpolate(words, { ms: median(times).toFixed(1), count: times.length });
}

function noUpgradeWords() {
  return gettext(
    "The socket did not open, although the site answers over HTTP. Either a proxy in between does not pass on the Upgrade and Connection headers, or the site does not know this address as its own (PUBLIC_URL).",
  );
}

function conclusionOf(verdicts) {
  if (verdicts.includes("bad")) return ["bad", gettext("Something isn't working.")];
  if (verdicts.includes("warn")) return ["warn", gettext("It works, but needs attention.")];
  return ["good", gettext("Everything works.")];
}

new ConnectionTest().run();
