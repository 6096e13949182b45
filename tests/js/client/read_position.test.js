import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Reading } from "../../../chat/static/chat/client/read_position.js";
import { FakeClock } from "../fakes.js";

let clock;
let isOnline;
let random;
let told;
let reading;

/** The tenth message of all that changed in the room was the first that was said, and so on. */
const line = (ordinal) => ({ seq: 10 * ordinal, ordinal });

beforeEach(() => {
  clock = new FakeClock();
  isOnline = true;
  told = [];
  random = 0;
  reading = new Reading({ clock, random: () => random, send: ({ room, seq }) => isOnline && told.push([room, seq]) > 0 });
});

test("tells at once, then at most once a second, and the latest always", async () => {
  reading.seen("lobby", line(1));
  reading.seen("lobby", line(2));
  reading.seen("lobby", line(3));
  assert.deepEqual(told, [["lobby", 10]]);
  await clock.pass(999);
  assert.equal(told.length, 1);
  await clock.pass(1);
  assert.deepEqual(told, [
    ["lobby", 10],
    ["lobby", 30],
  ]);
});

test("those who saw it at the same moment do not all speak again at the same moment", async () => {
  random = 0.5;
  reading.seen("lobby", line(1));
  reading.seen("lobby", line(2));
  await clock.pass(1249);
  assert.equal(told.length, 1);
  await clock.pass(1);
  assert.equal(told.length, 2);
});

test("never tells backwards, nor the same again", async () => {
  reading.seen("lobby", line(5));
  await clock.pass(1000);
  reading.seen("lobby", line(4));
  reading.seen("lobby", line(5));
  await clock.pass(5000);
  assert.deepEqual(told, [["lobby", 50]]);
  assert.equal(clock.pending, 0);
});

test("what another device has read is not told", () => {
  reading.known("lobby", 7);
  reading.known("lobby", 5);
  reading.seen("lobby", line(6));
  reading.seen("lobby", line(8));
  assert.deepEqual(told, [["lobby", 80]]);
});

test("rooms do not wait for each other", () => {
  reading.seen("lobby", line(1));
  reading.seen("attic", line(1));
  assert.deepEqual(told, [
    ["lobby", 10],
    ["attic", 10],
  ]);
});

test("what was read without a line is told when there is one", () => {
  isOnline = false;
  reading.seen("lobby", line(3));
  assert.deepEqual(told, []);
  isOnline = true;
  reading.resume();
  assert.deepEqual(told, [["lobby", 30]]);
});
