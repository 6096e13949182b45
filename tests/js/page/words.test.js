import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { gettext, interpolate, ngettext } from "../../../chat/static/chat/page/i18n.js";
import {
  changeErrorWords,
  errorWords,
  newMessagesWords,
  reactionWords,
  reactionsWords,
  stateWords,
  typingWords,
} from "../../../chat/static/chat/page/words.js";
import { ERROR, STATE } from "../../../chat/static/chat/client/constants.js";

const RETRIED = ["rate_limited", "unavailable", "disconnected", "timeout"];
const NOW = 1_000_000;

afterEach(() => delete globalThis.django);

test("each state of the connection has words of its own", () => {
  const words = Object.values(STATE).map((name) => stateWords({ name, until: NOW + 3000 }, NOW));
  assert.equal(new Set(words).size, words.length);
  assert.ok(words.every((text) => text.length > 0));
});

test("waiting counts down in whole seconds, and does not say zero", () => {
  const words = (leftMs) => stateWords({ name: "waiting", until: NOW + leftMs }, NOW);
  assert.deepEqual(
    [3000, 2001, 1000, 1].map(words),
    [3, 3, 1, 1].map((seconds) => `Reconnecting in ${seconds} s`),
  );
  assert.deepEqual([0, -500].map(words), ["Reconnecting…", "Reconnecting…"]);
});

test("refused says why, also for a code not known yet", () => {
  const words = [4002, 4003, 4004, 4006, 4077].map((code) => stateWords({ name: "refused", code }, NOW));
  assert.deepEqual(words.slice(0, 3), [
    "You don't have access",
    "This account is disabled",
    "A new version is available. Reload",
  ]);
  assert.equal(words[3], words[4]);
});

test("every reason not to take a message has words of ours, which can be translated", () => {
  const codes = Object.values(ERROR).filter((code) => !RETRIED.includes(code));
  const words = codes.map((code) => errorWords({ code, message: "The server's." }));
  assert.ok(!words.includes("The server's."), words);
});

test("an error without words of ours has the server's", () => {
  assert.equal(errorWords({ code: "too_long", message: "x" }), "it is too long.");
  assert.equal(errorWords({ code: "new_code", message: "Not on Sundays." }), "Not on Sundays.");
  assert.equal(errorWords({ code: "new_code" }), "new_code");
});

test("one, some and many who are typing", () => {
  assert.equal(typingWords([]), "");
  assert.equal(typingWords(["bob"]), "\u2068bob\u2069 is typing…");
  assert.equal(typingWords(["bob", "carol"]), "\u2068bob\u2069 and \u2068carol\u2069 are typing…");
  assert.equal(typingWords(["a", "b", "c", "d"]), "Several people are typing…");
});

test("none, one and many new messages", () => {
  assert.deepEqual([0, 1, 2].map(newMessagesWords), ["Jump to latest", "1 new message", "2 new messages"]);
});

test("texts come from Django's catalog when there is one", () => {
  globalThis.django = {
    gettext: (english) => ({ Online: "在线" })[english] ?? english,
    ngettext: (one, many, count) =>
      many === "%(count)s new messages" ? "%(count)s 条新消息" : count === 1 ? one : many,
  };
  assert.deepEqual([gettext("Online"), gettext("Offline"), newMessagesWords(5)], ["在线", "Offline", "5 条新消息"]);
});

test("without a catalog texts are English", () => {
  assert.deepEqual(
    [gettext("Online"), ngettext("one", "many", 1), ngettext("one", "many", 2)],
    ["Online", "one", "many"],
  );
});

test("places of a text are filled with text only, and unknown places stay", () => {
  assert.equal(interpolate("%(a)s and %(b)s", { a: "$&%(b)s", b: 0 }), "$&%(b)s and 0");
  assert.equal(interpolate("%(c)s", {}), "%(c)s");
});

test("who reacted, by name, and how many more", () => {
  assert.equal(reactionWords("👍", ["bob", "carol"]), "👍 \u2068bob\u2069, \u2068carol\u2069");
  const many = Array.from({ length: 12 }, (_, number) => `n${number}`);
  assert.match(reactionWords("👍", many), /n9\u2069 and 2 more$/u);
});

test("the reactions to a message, counted", () => {
  assert.equal(reactionsWords({ "👍": ["bob", "carol"], "🎉": ["bob"] }), "reactions: 👍 2 🎉 1");
  assert.equal(reactionsWords({}), "");
});

test("why a change was not made, in the words of a change", () => {
  const refused = (verb, code) => changeErrorWords({ verb, error: { code } });
  assert.equal(refused("edit", "not_found"), "Not changed: the message was deleted.");
  assert.equal(refused("edit", "forbidden"), "Not changed: you can't change this message.");
  assert.equal(refused("react", "forbidden"), "Not changed: no more reactions fit here.");
  assert.equal(refused("edit", "too_long"), "Not changed: it is too long.");
});
