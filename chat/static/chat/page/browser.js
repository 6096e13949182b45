// What the page has and a program has not, in one place, so that it can be handed in.
import { Bus } from "../client/bus.js";

export const clock = Object.freeze({
  now: () => Date.now(),
  setTimeout: (act, ms) => setTimeout(act, ms),
  clearTimeout: (timer) => clearTimeout(timer),
});

/** The network as the browser sees it. Says `wake` when it is worth trying again at once, and `offline`. */
export function watchNetwork(window) {
  const { document, navigator } = window;
  const bus = new Bus();
  window.addEventListener("online", () => bus.emit("wake"));
  window.addEventListener("pageshow", () => bus.emit("wake"));
  document.addEventListener("resume", () => bus.emit("wake"));
  document.addEventListener("visibilitychange", () => isVisible(document) && bus.emit("wake"));
  window.addEventListener("offline", () => bus.emit("offline"));
  return { isOnline: () => navigator.onLine, isVisible: () => isVisible(document), on: (name, listener) => bus.on(name, listener) };
}

/** The address of a socket of this site. */
export function socketUrl(path, { href }) {
  const url = new URL(path, href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The channel over which tabs tell each other that the outbox changed. */
export function openChannel({ BroadcastChannel }) {
  return BroadcastChannel ? new BroadcastChannel("chatsite outbox") : undefined;
}

export function readConfig(document) {
  return JSON.parse(document.getElementById("chat-config").textContent);
}

export function isVisible(document) {
  return document.visibilityState === "visible";
}
