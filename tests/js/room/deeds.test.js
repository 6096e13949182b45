import assert from "node:assert/strict";
import { test } from "node:test";
import { deedsFor, lastOfMine } from "../../../chat/static/chat/room/deeds.js";

const ME = { me: "alice", mayModerate: false };
const MINE = { author: "alice", status: "sent", text: "hello" };

for (const [whose, line, who, deeds] of [
  ["my own message", MINE, ME, ["react", "edit", "copy", "link", "delete"]],
  ["somebody's message", { ...MINE, author: "bob" }, ME, ["react", "copy", "link"]],
  ["somebody's message, for a moderator", { ...MINE, author: "bob" }, { ...ME, mayModerate: true }, ["react", "copy", "link", "delete"]],
  ["my own bytes", { ...MINE, binary: 3 }, ME, ["react", "link", "delete"]],
  ["a deleted message", { ...MINE, deleted: true }, ME, []],
  ["a message on its way", { ...MINE, status: "sending" }, ME, []],
  ["a message whose change failed", { ...MINE, change: { status: "failed" } }, ME, []],
  ["a message whose change is on its way", { ...MINE, change: { status: "sending" } }, ME, ["react", "edit", "copy", "link", "delete"]],
]) {
  test(`what may be done with ${whose}`, () => assert.deepEqual(deedsFor(line, who), deeds));
}

test("the latest of mine is the last that can still be edited", () => {
  const lines = [MINE, { ...MINE, text: "again" }, { ...MINE, deleted: true }, { ...MINE, author: "bob" }];
  assert.equal(lastOfMine(lines, ME).text, "again");
  assert.equal(lastOfMine([], ME), undefined);
});
