import assert from "node:assert/strict";
import { test } from "node:test";
import { faceOf } from "../../../chat/static/chat/page/avatar.js";

test("a face is the first letter, large, and one of eight hues", () => {
  assert.equal(faceOf("émile").initial, "É");
  assert.equal(faceOf("𝔞lice").initial, "𝔞");
  assert.equal(faceOf("王芳").initial, "王");
  for (let count = 0; count < 1000; count++) assert.ok(faceOf(`guest-${count}`).hue in [0, 1, 2, 3, 4, 5, 6, 7]);
});

test("the same name has the same face, and names do not all have one hue", () => {
  assert.deepEqual(faceOf("alice"), faceOf("alice"));
  const hues = new Set(
    ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"].map((name) => faceOf(name).hue),
  );
  assert.ok(hues.size >= 4);
});

test("a name as long as can be has a face too", () => {
  assert.ok(Number.isInteger(faceOf("\u{10ffff}".repeat(32)).hue));
});
