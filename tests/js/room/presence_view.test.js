import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { PresenceView } from "../../../chat/static/chat/room/presence_view.js";
import { FakeClock } from "../fakes.js";

const PAST_AFTER_MS = 2000;

let clock, room, tell, isPast;

beforeEach(() => {
  const listeners = {};
  clock = new FakeClock();
  room = { refusal: null };
  isPast = false;
  tell = (name, event) => listeners[name](event);
  const chat = { name: "me", on: (name, listener) => (listeners[name] = listener) };
  new PresenceView({ document: fakeDocument(), chat, room, clock });
});

function fakeDocument() {
  const element = { replaceChildren() {} };
  return {
    body: { toggleAttribute: (_, value) => (isPast = value) },
    querySelectorAll: () => [],
    getElementById: () => element,
  };
}

function isKnown() {
  tell("presence", { room, presence: { names: [], count: 0 } });
}

test("people are of the past a while after the line was cut, until they are known anew", async () => {
  isKnown();
  tell("state", { name: "waiting" });
  await clock.pass(PAST_AFTER_MS - 1);
  assert.equal(isPast, false);
  await clock.pass(1);
  assert.equal(isPast, true);
  tell("state", { name: "online" });
  assert.equal(isPast, true);
  isKnown();
  assert.equal(isPast, false);
});

test("a short break is not shown", async () => {
  isKnown();
  tell("state", { name: "connecting" });
  await clock.pass(PAST_AFTER_MS / 2);
  tell("state", { name: "online" });
  isKnown();
  await clock.pass(10 * PAST_AFTER_MS);
  assert.equal(isPast, false);
  assert.equal(clock.pending, 0);
});

test("whose room was taken away sees the past, and nobody else", async () => {
  isKnown();
  tell("room", { refusal: "forbidden" });
  await clock.pass(PAST_AFTER_MS);
  assert.equal(isPast, false);
  room.refusal = "forbidden";
  tell("room", room);
  await clock.pass(PAST_AFTER_MS);
  assert.equal(isPast, true);
});

test("who was never seen is not of the past", async () => {
  tell("state", { name: "connecting" });
  await clock.pass(10 * PAST_AFTER_MS);
  assert.equal(isPast, false);
});
