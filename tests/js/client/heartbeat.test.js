import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Heartbeat } from "../../../chat/static/chat/client/heartbeat.js";
import { FakeClock } from "../fakes.js";

const INTERVAL_MS = 10_000;
const TIMEOUT_MS = 5_000;

let clock;
let beats;
let deaths;
let heartbeat;

beforeEach(() => {
  clock = new FakeClock();
  beats = [];
  deaths = 0;
  heartbeat = new Heartbeat({ clock, beat: (sent) => beats.push(sent), dead: () => (deaths += 1) });
  heartbeat.start({ intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS });
});

test("beats once an interval, with the time it was sent", async () => {
  const startedAt = clock.now();
  for (let round = 0; round < 3; round++) {
    await clock.pass(INTERVAL_MS);
    heartbeat.heard();
  }
  assert.deepEqual(
    beats,
    [1, 2, 3].map((round) => startedAt + round * INTERVAL_MS),
  );
});

test("beats once an interval also while much is heard", async () => {
  for (let second = 0; second < 30; second++) {
    await clock.pass(1000);
    heartbeat.heard();
  }
  assert.equal(beats.length, 3);
});

test("no answer within the timeout is death, once", async () => {
  await clock.pass(INTERVAL_MS + TIMEOUT_MS - 1);
  assert.equal(deaths, 0);
  await clock.pass(1);
  assert.equal(deaths, 1);
  await clock.pass(60_000);
  assert.equal(deaths, 1);
  assert.equal(beats.length, 1);
});

test("any frame is an answer", async () => {
  await clock.pass(INTERVAL_MS + TIMEOUT_MS - 1);
  heartbeat.heard();
  await clock.pass(TIMEOUT_MS);
  assert.equal(deaths, 0);
});

test("waking after long sleep is death at once, without waiting for an answer", async () => {
  clock.sleep(3_600_000);
  heartbeat.check();
  assert.equal(deaths, 1);
});

test("a timer that slept finds out by itself", async () => {
  clock.sleep(3_600_000);
  await clock.pass(0);
  assert.equal(deaths, 1);
});

test("what lay waiting during a long sleep is no sign of life", () => {
  clock.sleep(3_600_000);
  heartbeat.heard();
  assert.equal(deaths, 1);
});

test("waking after a short sleep asks at once, and believes the answer", async () => {
  clock.sleep(8_000);
  heartbeat.check();
  assert.equal(beats.length, 1);
  heartbeat.heard();
  await clock.pass(TIMEOUT_MS);
  assert.equal(deaths, 0);
});

test("waking after a short sleep asks at once, and does not wait longer than the timeout", async () => {
  clock.sleep(8_000);
  heartbeat.check();
  await clock.pass(TIMEOUT_MS);
  assert.equal(deaths, 1);
});

test("checking again while waiting for the answer does not ask twice, nor move the deadline", async () => {
  heartbeat.check();
  await clock.pass(TIMEOUT_MS - 1000);
  heartbeat.check();
  assert.equal(beats.length, 1);
  await clock.pass(1000);
  assert.equal(deaths, 1);
});

test("a timer that fires late while the answer is due counts the time, not the ticks", async () => {
  await clock.pass(INTERVAL_MS);
  clock.sleep(TIMEOUT_MS + 3000);
  await clock.pass(0);
  assert.equal(deaths, 1);
});

test("a clock set back by an hour is found out, not waited for", async () => {
  clock.sleep(-3_600_000);
  heartbeat.check();
  assert.equal(deaths, 1);
});

test("once stopped it neither beats nor dies, and leaves no timer", async () => {
  heartbeat.stop();
  heartbeat.check();
  heartbeat.heard();
  assert.equal(clock.pending, 0);
  await clock.pass(120_000);
  assert.deepEqual([beats.length, deaths], [0, 0]);
});

test("started again it begins anew", async () => {
  await clock.pass(INTERVAL_MS);
  heartbeat.start({ intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS });
  await clock.pass(TIMEOUT_MS);
  assert.equal(deaths, 0);
  await clock.pass(INTERVAL_MS - TIMEOUT_MS);
  assert.equal(beats.length, 2);
});
