import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs } from "../../../chat/static/chat/client/backoff.js";

const LEAST = () => 0;
const MIDDLE = () => 0.5;
const MOST = () => 0.999999;

test("the least wait is the base, whatever the attempt", () => {
  for (const attempt of [0, 1, 5, 100, 5000]) assert.equal(backoffMs(attempt, LEAST), 500);
});

test("the window doubles with each attempt", () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((attempt) => backoffMs(attempt, MIDDLE)),
    [750, 1000, 1500, 2500],
  );
});

test("no wait is longer than the cap", () => {
  assert.equal(backoffMs(6, MOST), 20_000);
  assert.equal(backoffMs(5000, MOST), 20_000);
});
