import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Connection } from "../../../chat/static/chat/client/connection.js";
import { Delivery } from "../../../chat/static/chat/client/delivery.js";
import { openOutbox } from "../../../chat/static/chat/client/outbox.js";
import { FakeClock, FakeLocks, fakeChannels, fakeWebSockets, settled } from "../fakes.js";
import { FakeIndexedDB } from "../fake_indexeddb.js";

let clock;
let storage;
let locks;
let openChannel;

beforeEach(() => {
  clock = new FakeClock();
  storage = new FakeIndexedDB();
  locks = new FakeLocks();
  openChannel = fakeChannels();
});

/** A tab of the browser: a connection, the shared outbox, and what delivers it. */
async function openTab({ withLocks = true, withChannel = true } = {}) {
  const web = fakeWebSockets();
  web.FakeWebSocket.isLively = true;
  const connection = new Connection({
    WebSocket: web.FakeWebSocket,
    url: "ws://chat.test/ws/",
    clock,
    random: () => 0,
  });
  const outbox = await openOutbox({
    user: "alice",
    clock,
    storage,
    channel: withChannel ? openChannel() : undefined,
  });
  const delivery = new Delivery({ connection, outbox, clock, locks: withLocks ? locks : undefined, random: () => 0 });
  connection.on("frame", ({ type }) => type === "hello" && delivery.deliver());
  connection.connect();
  return { web, connection, outbox, posts: () => web.sockets.flatMap((socket) => socket.framesOf("post")) };
}

async function openOnlineTab(options) {
  const tab = await openTab(options);
  tab.web.latest().greets();
  return tab;
}

async function write(tab, ...texts) {
  texts.forEach((text) =>
    tab.outbox.add({ room: "lobby", nonce: `n-${text}`, text, createdAt: "2026-11-20T12:00:00Z" }),
  );
  await quiet();
}

/** Until nothing moves any more without time passing. */
async function quiet() {
  for (let turn = 0; turn < 10; turn++) await settled();
}

async function acknowledge(tab, seq) {
  const { id, nonce } = tab.web.latest().framesOf("post").at(-1);
  tab.web.latest().says({ type: "ack", id, room: "lobby", seq, version: seq, nonce });
  await quiet();
}

async function refuse(tab, error) {
  const { id, nonce } = tab.web.latest().framesOf("post").at(-1);
  tab.web.latest().says({ type: "error", id, nonce, room: "lobby", message: "No.", ...error });
  await quiet();
}

function texts(tab) {
  return tab.posts().map(({ text }) => text);
}

function shown(tab) {
  return tab.outbox.entries.map(({ text, status }) => [text, status]);
}

test("messages go in order, the next when the one before is acknowledged", async () => {
  const tab = await openOnlineTab();
  await write(tab, "one", "two");
  assert.deepEqual(texts(tab), ["one"]);
  await acknowledge(tab, 1);
  assert.deepEqual(texts(tab), ["one", "two"]);
  await acknowledge(tab, 2);
  assert.deepEqual(shown(tab), [
    ["one", "sent"],
    ["two", "sent"],
  ]);
});

test("a post carries room, nonce and text", async () => {
  const tab = await openOnlineTab();
  await write(tab, "one");
  const [{ id, ...post }] = tab.posts();
  assert.deepEqual(post, { type: "post", room: "lobby", nonce: "n-one", text: "one" });
});

test("what was written offline waits, and goes in order when there is a line", async () => {
  const tab = await openTab();
  await write(tab, "one", "two");
  assert.deepEqual(tab.posts(), []);
  tab.web.latest().greets();
  await quiet();
  await acknowledge(tab, 1);
  assert.deepEqual(texts(tab), ["one", "two"]);
});

test("without an acknowledgement it is sent again with the same nonce: the line broke", async () => {
  const tab = await openOnlineTab();
  await write(tab, "one", "two");
  tab.web.latest().breaks();
  await clock.pass(500);
  tab.web.latest().greets();
  await quiet();
  assert.deepEqual(
    tab.posts().map(({ nonce }) => nonce),
    ["n-one", "n-one"],
  );
  await acknowledge(tab, 1);
  assert.deepEqual(texts(tab), ["one", "one", "two"]);
});

test("without an acknowledgement it is sent again with the same nonce: no answer", async () => {
  const tab = await openOnlineTab();
  await write(tab, "one");
  await clock.pass(9_999);
  assert.equal(tab.posts().length, 1);
  await clock.pass(1);
  assert.deepEqual(
    tab.posts().map(({ nonce }) => nonce),
    ["n-one", "n-one"],
  );
});

test("a reload in the middle of sending sends the same nonces again, in order", async () => {
  const before = await openOnlineTab();
  await write(before, "one", "two");
  before.connection.disconnect();
  await clock.pass(0);
  const after = await openOnlineTab();
  await quiet();
  await acknowledge(after, 1);
  assert.deepEqual(
    after.posts().map(({ nonce }) => nonce),
    ["n-one", "n-two"],
  );
});

test("one that is refused fails, and the others go on", async () => {
  const tab = await openOnlineTab();
  await write(tab, "one", "two");
  await refuse(tab, { code: "forbidden" });
  assert.deepEqual(shown(tab), [
    ["one", "failed"],
    ["two", "sending"],
  ]);
  assert.deepEqual(tab.outbox.find("n-one").error, { code: "forbidden", message: "No." });
  assert.deepEqual(texts(tab), ["one", "two"]);
});

test("one that the server cannot even read fails, and the others go on", async () => {
  const tab = await openOnlineTab();
  await write(tab, "one", "two");
  tab.web.latest().says({ type: "error", code: "bad_json", message: "No." });
  await quiet();
  assert.deepEqual(shown(tab), [
    ["one", "failed"],
    ["two", "sending"],
  ]);
  assert.deepEqual(texts(tab), ["one", "two"]);
});

test("one that failed goes again when asked, with the same nonce", async () => {
  const tab = await openOnlineTab();
  await write(tab, "one");
  await refuse(tab, { code: "internal" });
  await clock.pass(60_000);
  assert.equal(tab.posts().length, 1);
  tab.outbox.retry("n-one");
  await quiet();
  assert.deepEqual(
    tab.posts().map(({ nonce }) => nonce),
    ["n-one", "n-one"],
  );
});

for (const code of ["rate_limited", "unavailable"]) {
  test(`${code}: it is kept and goes when it was told, and nothing overtakes it`, async () => {
    const tab = await openOnlineTab();
    await write(tab, "one", "two");
    await refuse(tab, { code, retry_after: 2.5 });
    assert.deepEqual(shown(tab), [
      ["one", "sending"],
      ["two", "sending"],
    ]);
    await clock.pass(2499);
    assert.deepEqual(texts(tab), ["one"]);
    await clock.pass(1);
    assert.deepEqual(texts(tab), ["one", "one"]);
    await acknowledge(tab, 1);
    assert.deepEqual(texts(tab), ["one", "one", "two"]);
  });
}

test("unavailable without a word when: it waits as the backoff says", async () => {
  const tab = await openOnlineTab();
  await write(tab, "one");
  await refuse(tab, { code: "unavailable" });
  await clock.pass(499);
  assert.equal(tab.posts().length, 1);
  await clock.pass(1);
  assert.equal(tab.posts().length, 2);
});

test("1009 fails the message that was too big, and the others go on after it", async () => {
  const tab = await openOnlineTab();
  await write(tab, "huge", "two");
  tab.web.latest().breaks(1009);
  await quiet();
  assert.deepEqual([shown(tab)[0], tab.outbox.find("n-huge").error.code], [["huge", "failed"], "too_long"]);
  await clock.pass(500);
  tab.web.latest().greets();
  await quiet();
  assert.deepEqual(texts(tab), ["huge", "two"]);
});

test("of two tabs one sends, and both see it", async () => {
  const [first, second] = [await openOnlineTab(), await openOnlineTab()];
  await write(first, "one");
  await write(second, "two");
  assert.deepEqual([texts(first), texts(second)], [["one"], []]);
  await acknowledge(first, 1);
  assert.deepEqual(texts(first), ["one", "two"]);
  await acknowledge(first, 2);
  assert.deepEqual(texts(second), []);
  assert.deepEqual(shown(second), [
    ["one", "sent"],
    ["two", "sent"],
  ]);
});

test("whose turn it is looks first at what the others have sent", async () => {
  const first = await openOnlineTab({ withChannel: false });
  await write(first, "one");
  const second = await openOnlineTab({ withChannel: false });
  await quiet();
  assert.deepEqual(shown(second), [["one", "sending"]]);
  await acknowledge(first, 1);
  assert.deepEqual([texts(second), shown(second)], [[], [["one", "sent"]]]);
});

test("when the tab that was sending goes offline the other one goes on", async () => {
  const [first, second] = [await openOnlineTab(), await openOnlineTab()];
  await write(first, "one");
  first.connection.disconnect();
  await clock.pass(0);
  await quiet();
  assert.deepEqual(
    second.posts().map(({ nonce }) => nonce),
    ["n-one"],
  );
});

test("when the tab that was sending sleeps with the lock, the other one does not wait for ever", async () => {
  const tab = await openOnlineTab();
  locks.request("chatsite alice", { signal: new AbortController().signal }, () => new Promise(() => {}));
  await write(tab, "one");
  assert.deepEqual(texts(tab), []);
  await clock.pass(10_000);
  await quiet();
  assert.deepEqual(texts(tab), ["one"]);
});

test("without locks both may send, and always with the same nonce", async () => {
  const [first, second] = [await openOnlineTab({ withLocks: false }), await openOnlineTab({ withLocks: false })];
  await write(first, "one");
  const nonces = [...first.posts(), ...second.posts()].map(({ nonce }) => nonce);
  assert.deepEqual([...new Set(nonces)], ["n-one"]);
  await acknowledge(first, 1);
  assert.deepEqual(shown(second), [["one", "sent"]]);
});

test("one that was deleted is not sent", async () => {
  const tab = await openTab();
  await write(tab, "one", "two");
  tab.outbox.remove("n-one");
  tab.web.latest().greets();
  await quiet();
  assert.deepEqual(texts(tab), ["two"]);
});
