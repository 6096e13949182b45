import assert from "node:assert/strict";
import { test } from "node:test";
import { arrange } from "../../../chat/static/chat/room/timeline.js";

const dayOf = (moment) => moment.slice(0, 10);

function line(key, author, time, rest = {}) {
  return { key, author, created_at: `2026-11-${time}:00Z`, ...rest };
}

function outline(lines) {
  return arrange(lines, dayOf).map((item) => (item.line ? `${item.key}${item.isContinued ? "+" : ""}` : item.day));
}

test("each day begins with its name", () => {
  const lines = [line("a", "bob", "19T23:58"), line("b", "bob", "20T00:01"), line("c", "bob", "20T12:00")];
  assert.deepEqual(outline(lines), ["2026-11-19", "a", "2026-11-20", "b", "c"]);
});

test("what one author says within five minutes hangs together", () => {
  const lines = [
    line("a", "bob", "20T12:00"),
    line("b", "bob", "20T12:04"),
    line("c", "bob", "20T12:09"),
    line("d", "alice", "20T12:09"),
  ];
  assert.deepEqual(outline(lines), ["2026-11-20", "a", "b+", "c", "d"]);
});

test("nothing hangs on a deleted message", () => {
  const lines = [line("a", "bob", "20T12:00", { deleted: true }), line("b", "bob", "20T12:01")];
  assert.deepEqual(outline(lines), ["2026-11-20", "a", "b"]);
});

test("keys are all different, and nothing comes of nothing", () => {
  const keys = arrange([line("a", "bob", "19T12:00"), line("b", "bob", "20T12:00")], dayOf).map(({ key }) => key);
  assert.equal(new Set(keys).size, 4);
  assert.deepEqual(arrange([], dayOf), []);
});
