import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Reading } from "../../chat/static/chat/reading.js";
import { FakeClock } from "./fakes.js";

let clock;
let isOnline;
let told;
let reading;

beforeEach(() => {
  clock = new FakeClock();
  isOnline = true;
  told = [];
  reading = new Reading({ clock, send: ({ room, seq }) => isOnline && told.push([room, seq]) > 0 });
});

test("tells at once, then at most once a second, and the latest always", async () => {
  reading.seen("lobby", 1);
  reading.seen("lobby", 2);
  reading.seen("lobby", 3);
  assert.deepEqual(told, [["lobby", 1]]);
  await clock.pass(999);
  assert.equal(told.length, 1);
  await clock.pass(1);
  assert.deepEqual(told, [
    ["lobby", 1],
    ["lobby", 3],
  ]);
});

test("never tells backwards, nor the same again", async () => {
  reading.seen("lobby", 5);
  await clock.pass(1000);
  reading.seen("lobby", 4);
  reading.seen("lobby", 5);
  await clock.pass(5000);
  assert.deepEqual(told, [["lobby", 5]]);
  assert.equal(clock.pending, 0);
});

test("what another device has read is not told", () => {
  reading.known("lobby", 7);
  reading.known("lobby", 5);
  reading.seen("lobby", 6);
  reading.seen("lobby", 8);
  assert.deepEqual(told, [["lobby", 8]]);
});

test("rooms do not wait for each other", () => {
  reading.seen("lobby", 1);
  reading.seen("attic", 1);
  assert.deepEqual(told, [
    ["lobby", 1],
    ["attic", 1],
  ]);
});

test("what was read without a line is told when there is one", () => {
  isOnline = false;
  reading.seen("lobby", 3);
  assert.deepEqual(told, []);
  isOnline = true;
  reading.resume();
  assert.deepEqual(told, [["lobby", 3]]);
});
