import assert from "node:assert/strict";
import { test } from "node:test";
import { createNonce, decode, encode } from "../../../chat/static/chat/client/protocol.js";

test("a frame of several lines is several frames, in order", () => {
  assert.deepEqual(decode('{"type":"ack","id":"1"}\n{"type":"message","seq":2}'), [
    { type: "ack", id: "1" },
    { type: "message", seq: 2 },
  ]);
});

test("lines that are no frame are skipped, and the others are kept", () => {
  const text = [
    '{"type":"ack"}',
    "",
    "not json",
    "null",
    "[1]",
    "7",
    '{"kind":"x"}',
    '{"type":7}',
    '{"type":"bye"}',
  ].join("\n");
  assert.deepEqual(decode(text), [{ type: "ack" }, { type: "bye" }]);
});

test("a frame is one line, whatever its text", () => {
  const encoded = encode({ type: "post", text: "two\nlines\u2028and more" });
  assert.equal(encoded.split("\n").length, 1);
  assert.deepEqual(decode(encoded), [{ type: "post", text: "two\nlines\u2028and more" }]);
});

test("half a character, which no server could read, becomes the sign of one that is missing", () => {
  const halves = { text: "half \ud83d emoji, \udc4b", at: { "\ud83d": 1 }, all: ["\udc4b"] };
  assert.deepEqual(decode(encode({ type: "post", ...halves })), [
    { type: "post", text: "half \ufffd emoji, \ufffd", at: { "\ud83d": 1 }, all: ["\ufffd"] },
  ]);
  assert.match(encode({ type: "post", text: "whole \ud83d\udc4b" }), /whole 👋/);
});

test("nonces are 32 hexadecimal digits, and no two are the same", () => {
  const nonces = new Set(Array.from({ length: 1000 }, () => createNonce(crypto)));
  assert.equal(nonces.size, 1000);
  for (const nonce of nonces) assert.match(nonce, /^[0-9a-f]{32}$/);
});
