import assert from "node:assert/strict";
import { test } from "node:test";
import { linkify } from "../../../chat/static/chat/room/linkify.js";

/** The pieces as one text, links in brackets. */
function marked(text) {
  return linkify(text)
    .map((piece) => (piece.href ? `[${piece.text}]` : piece.text))
    .join("");
}

const CASES = {
  "no address here": "no address here",
  "see https://example.com/a?b=c#d now": "see [https://example.com/a?b=c#d] now",
  "HTTP://EXAMPLE.COM": "[HTTP://EXAMPLE.COM]",
  "the end https://example.com.": "the end [https://example.com].",
  "really https://example.com?!": "really [https://example.com]?!",
  "(https://example.com/a)": "([https://example.com/a])",
  "(see https://example.com/a).": "(see [https://example.com/a]).",
  "https://en.wikipedia.org/wiki/Chat_(software)": "[https://en.wikipedia.org/wiki/Chat_(software)]",
  "两个https://a.example/路径，https://b.example。": "两个[https://a.example/路径]，[https://b.example]。",
  "https://a.example\nhttps://b.example": "[https://a.example]\n[https://b.example]",
  '<a href="https://example.com">': '<a href="[https://example.com]">',
};

for (const [text, expected] of Object.entries(CASES)) {
  test(`finds the addresses of ${JSON.stringify(text)}`, () => assert.equal(marked(text), expected));
}

test("no piece of the text is lost or changed", () => {
  for (const text of Object.keys(CASES))
    assert.equal(
      linkify(text)
        .map((piece) => piece.text)
        .join(""),
      text,
    );
});

test("nothing but http and https becomes a link", () => {
  for (const text of [
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "ftp://example.com",
    "https://",
    "http://[",
    "xhttps:/example.com",
  ]) {
    assert.deepEqual(
      linkify(text).filter(({ href }) => href),
      [],
      text,
    );
  }
});

test("a link goes to http or https, whatever stands in it", () => {
  const [{ href }] = linkify("https://example.com/javascript:alert(1)");
  assert.equal(new URL(href).protocol, "https:");
});

test("a long line of brackets takes no time", () => {
  const startedAt = performance.now();
  linkify(`https://example.com/${")".repeat(8000)}`);
  linkify("https://".repeat(1000));
  assert.ok(performance.now() - startedAt < 1000);
});

test("www. and mail addresses are links too", () => {
  assert.deepEqual(linkify("see www.example.org/a, or ask help+chat@mail.example.org."), [
    { text: "see " },
    { text: "www.example.org/a", href: "https://www.example.org/a" },
    { text: ", or ask " },
    { text: "help+chat@mail.example.org", href: "mailto:help+chat@mail.example.org" },
    { text: "." },
  ]);
});

test("what only looks like one is none", () => {
  for (const text of ["awww.so", "x@y", "@bob", "a@b@c.org", "www.", "www..", "git@host:repo", "user@localhost"]) {
    assert.deepEqual(linkify(text), [{ text }], text);
  }
});
