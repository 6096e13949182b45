import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { clock, openChannel, readConfig, socketUrl, watchNetwork } from "../../../chat/static/chat/page/browser.js";

let window;
let heard;

beforeEach(() => {
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  window = Object.assign(new EventTarget(), { document, navigator: { onLine: true } });
  heard = [];
  const network = watchNetwork(window);
  network.on("wake", () => heard.push("wake"));
  network.on("offline", () => heard.push("offline"));
  window.network = network;
});

test("the page wakes with the network, when it is shown again, and when it becomes visible", () => {
  window.dispatchEvent(new Event("online"));
  window.dispatchEvent(new Event("pageshow"));
  window.document.dispatchEvent(new Event("visibilitychange"));
  window.document.dispatchEvent(new Event("resume"));
  assert.deepEqual(heard, ["wake", "wake", "wake", "wake"]);
});

test("becoming hidden is no waking", () => {
  window.document.visibilityState = "hidden";
  window.document.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual(heard, []);
});

test("the network's end is said, and asked for", () => {
  window.navigator.onLine = false;
  window.dispatchEvent(new Event("offline"));
  assert.deepEqual([heard, window.network.isOnline()], [["offline"], false]);
});

test("a socket is as safe as its page, on the same host", () => {
  assert.equal(socketUrl("/ws/", { href: "https://chat.example/rooms/lobby/?a=b" }), "wss://chat.example/ws/");
  assert.equal(socketUrl("/ws/", { href: "http://localhost:8000/rooms/lobby/" }), "ws://localhost:8000/ws/");
});

test("the page's configuration is read from its element", () => {
  const document = { getElementById: (id) => id === "chat-config" && { textContent: '{"name": "alice"}' } };
  assert.deepEqual(readConfig(document), { name: "alice" });
});

test("a browser without channels between tabs does without", () => {
  assert.equal(openChannel({}), undefined);
});

test("the clock is the browser's", async () => {
  const before = clock.now();
  await new Promise((resolve) => clock.setTimeout(resolve, 5));
  assert.ok(clock.now() - before >= 4);
  let rang = false;
  clock.clearTimeout(clock.setTimeout(() => (rang = true), 1));
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(rang, false);
});
