import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Pending } from "../../../chat/static/chat/client/pending.js";

const HELLO = { key: "bob n1", seq: 1, version: 1, author: "bob", text: "hello", reactions: { "👍": ["bob"] } };
const OTHER = { key: "bob n2", seq: 2, version: 2, author: "bob", text: "other" };

let there;
let pending;

beforeEach(() => {
  there = 0;
  pending = new Pending(({ status, version }) => status === "sent" && version <= there);
});

function change(verb, rest = {}) {
  return { user: "alice", nonce: `c ${verb}`, verb, seq: 1, createdAt: "2026-11-20T12:00:00Z", status: "sending", ...rest };
}

function first() {
  return pending.over([HELLO, OTHER])[0];
}

test("where nothing is changed the lines are the very same", () => {
  const lines = [HELLO, OTHER];
  assert.equal(pending.over(lines), lines);
  pending.set([change("edit", { text: "Hello!" })]);
  assert.equal(pending.over(lines)[1], OTHER);
});

test("an edit shows at once, as edited, and says that it is on its way", () => {
  pending.set([change("edit", { text: "Hello!" })]);
  assert.deepEqual([first().text, first().edited_at, first().change.status], ["Hello!", "2026-11-20T12:00:00Z", "sending"]);
});

test("a deletion takes the text, the reactions and the size", () => {
  pending.set([change("delete")]);
  const { text, deleted, reactions, binary } = first();
  assert.deepEqual([text, deleted, reactions, binary], ["", true, {}, undefined]);
});

test("a reaction is mine, beside those of others, and goes again", () => {
  pending.set([change("react", { emoji: "👍", on: true })]);
  assert.deepEqual([first().reactions, first().change], [{ "👍": ["bob", "alice"] }, undefined]);
  pending.set([change("react", { emoji: "👍", on: true }), change("react", { nonce: "c 2", emoji: "👍", on: false })]);
  assert.deepEqual(first().reactions, { "👍": ["bob"] });
});

test("several changes of one message come in their order", () => {
  pending.set([change("edit", { text: "one" }), change("edit", { nonce: "c 2", text: "two" })]);
  assert.equal(first().text, "two");
});

test("what failed is not done, and stands beside the message", () => {
  pending.set([change("edit", { text: "Hello!", status: "failed", error: { code: "forbidden" } })]);
  assert.deepEqual([first().text, first().change.error.code, first().change.nonce], ["hello", "forbidden", "c edit"]);
});

test("acknowledged, it shows until the room has come that far, whether the outbox keeps it or not", () => {
  const sent = change("edit", { text: "Hello!", status: "sent", version: 3 });
  pending.set([sent]);
  pending.set([]);
  assert.deepEqual([first().text, pending.settled()], ["Hello!", []]);
  there = 3;
  assert.equal(first(), HELLO);
  assert.deepEqual(
    pending.settled().map(({ nonce }) => nonce),
    ["c edit"],
  );
  pending.set([]);
  assert.deepEqual(pending.settled(), []);
});

test("what was discarded before it was sent is gone", () => {
  pending.set([change("edit", { text: "Hello!" })]);
  pending.set([]);
  assert.equal(first(), HELLO);
});

test("messages and changes are told apart; an entry without a verb is a message", () => {
  pending.set([change("delete"), { user: "alice", nonce: "n", text: "new", createdAt: "…", status: "sending" }]);
  assert.deepEqual(
    pending.lines().map(({ key, text }) => [key, text]),
    [["alice n", "new"]],
  );
});
