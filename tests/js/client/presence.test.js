import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Presence } from "../../../chat/static/chat/client/presence.js";

let presence;

beforeEach(() => {
  presence = new Presence();
  presence.replace({ count: 2, names: ["bob", "alice"] });
});

test("names are in alphabetical order, whatever their case", () => {
  presence.change({ joined: ["Bert"], count: 3 });
  assert.deepEqual([presence.names, presence.count], [["alice", "Bert", "bob"], 3]);
});

test("who joins twice is there once, who left is gone", () => {
  presence.change({ joined: ["bob"], left: ["alice"], count: 1 });
  assert.deepEqual([presence.names, presence.count], [["bob"], 1]);
});

test("in a big room only the number is known", () => {
  presence.change({ count: 120 });
  assert.equal(presence.count, 120);
  presence.replace({ count: 500 });
  assert.deepEqual([presence.names, presence.count], [[], 500]);
});
