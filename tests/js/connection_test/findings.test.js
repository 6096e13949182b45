import assert from "node:assert/strict";
import { test } from "node:test";
import { median, proxyFindings } from "../../../chat/static/chat/connection_test/findings.js";

const PAGE = { protocol: "https:", host: "chat.example", origin: "https://chat.example" };
const SEEN = {
  scheme: "ws",
  host: "chat.example",
  origin: "https://chat.example",
  client: "203.0.113.7",
  x_forwarded_for: "203.0.113.7",
  x_forwarded_proto: "https",
};

function verdicts(seen, page = PAGE) {
  return Object.fromEntries(proxyFindings({ ...SEEN, ...seen }, page).map(({ id, verdict }) => [id, verdict]));
}

test("a proxy that passes everything on is good", () => {
  const good = { "proxy-scheme": "good", "proxy-host": "good", "proxy-origin": "good", "proxy-client": "good" };
  assert.deepEqual(verdicts({}), good);
});

test("what it does not pass on is said", () => {
  assert.equal(verdicts({ x_forwarded_proto: "" })["proxy-scheme"], "warn");
  assert.equal(verdicts({ host: "127.0.0.1:8000" })["proxy-host"], "warn");
  assert.equal(verdicts({ origin: "http://chat.example" })["proxy-origin"], "warn");
});

test("a server that is encrypted itself needs nobody to say so", () => {
  assert.equal(verdicts({ scheme: "wss", x_forwarded_proto: "" })["proxy-scheme"], "good");
});

test("without encryption there is nothing to pass on", () => {
  const page = { protocol: "http:", host: "localhost:8000", origin: "http://localhost:8000" };
  const seen = { host: "localhost:8000", origin: "http://localhost:8000", x_forwarded_proto: "", x_forwarded_for: "" };
  assert.deepEqual(new Set(Object.values(verdicts(seen, page))), new Set(["neutral", "good"]));
});

test("the words name what was seen and what was expected", () => {
  const host = proxyFindings({ ...SEEN, host: "127.0.0.1:8000" }, PAGE).find(({ id }) => id === "proxy-host");
  assert.match(host.words, /127\.0\.0\.1:8000.*chat\.example/);
});

test("the median of an odd and of an even number", () => {
  assert.deepEqual([median([9, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
});
