import assert from "node:assert/strict";
import { test } from "node:test";
import { wordsOf } from "../../../chat/static/chat/room/words_of.js";

test("what is bold or code is heard as words", () => {
  assert.equal(wordsOf("<p><strong>Ship</strong> <code>a &lt; b</code> &amp; go</p>"), "Ship a < b & go");
});

test("lines, items and rows are lines", () => {
  assert.equal(wordsOf("<p>one<br>\ntwo</p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>"), "one\ntwo\na\nb");
  assert.equal(wordsOf("<table><tr>\n<th>who</th>\n<th>what</th>\n</tr></table>"), "who what");
});

test("what was escaped is not read as a tag", () => {
  assert.equal(wordsOf("<p>&lt;script&gt; &amp;lt;</p>"), "<script> &lt;");
});
