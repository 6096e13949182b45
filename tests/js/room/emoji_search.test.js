import assert from "node:assert/strict";
import { test } from "node:test";
import { findEmoji } from "../../../chat/static/chat/room/emoji_search.js";

const GROUPS = [
  ["Smileys", ["😀", "grinning face", "grinning face"], ["❤️", "red heart", "red heart heart"]],
  ["Nature", ["🐕", "狗", "dog dog2"], ["🌭", "hot dog", "hot dog hotdog"]],
];

function found(query) {
  return findEmoji(GROUPS, query).map(([sign]) => sign);
}

test("by a word of the name, those first whose name begins with it", () => {
  assert.deepEqual(found("hot"), ["🌭"]);
  assert.deepEqual(found("DOG"), ["🐕", "🌭"]);
  assert.deepEqual(found("heart red"), ["❤️"]);
});

test("in the reader's language and in English, with colons, by the emoji itself", () => {
  assert.deepEqual([found("狗"), found(":hot_dog:"), found("🐕")], [["🐕"], ["🌭"], ["🐕"]]);
});

test("what nothing is called finds nothing, and so does nothing", () => {
  assert.deepEqual([found("unicorn"), found("  ")], [[], []]);
});
