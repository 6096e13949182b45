import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { openOutbox } from "../../../chat/static/chat/client/outbox.js";
import { FakeClock, fakeChannels, settled } from "../fakes.js";
import { FakeIndexedDB } from "../fake_indexeddb.js";

const CREATED_AT = "2026-11-20T12:00:00.000Z";

let clock;
let storage;
let openChannel;

beforeEach(() => {
  clock = new FakeClock();
  storage = new FakeIndexedDB();
  openChannel = fakeChannels();
});

function openTab(user = "alice") {
  return openOutbox({ user, clock, storage, channel: openChannel() });
}

function write(outbox, text, room = "lobby") {
  return outbox.add({ room, nonce: `nonce of ${text}`, text, createdAt: CREATED_AT });
}

function shown(outbox) {
  return outbox.entries.map(({ text, status }) => [text, status]);
}

async function everythingStored() {
  for (let turn = 0; turn < 10; turn++) await settled();
}

for (const [kind, withStorage] of [
  ["with storage", true],
  ["without storage", false],
]) {
  test(`${kind}: a message is there at once, in order, being sent`, async () => {
    if (!withStorage) storage = undefined;
    const outbox = await openTab();
    write(outbox, "one");
    write(outbox, "two");
    assert.deepEqual(shown(outbox), [
      ["one", "sending"],
      ["two", "sending"],
    ]);
    assert.deepEqual(outbox.entriesOf("attic"), []);
  });

  test(`${kind}: failed, tried again, acknowledged, removed`, async () => {
    if (!withStorage) storage = undefined;
    const outbox = await openTab();
    await write(outbox, "one");
    outbox.fail("nonce of one", { code: "too_long", message: "Too long." });
    assert.equal(outbox.find("nonce of one").error.code, "too_long");
    assert.deepEqual(shown(outbox), [["one", "failed"]]);
    outbox.retry("nonce of one");
    assert.equal(outbox.find("nonce of one").error, undefined);
    outbox.acknowledge("nonce of one", { seq: 7, version: 7 });
    assert.deepEqual([shown(outbox), outbox.find("nonce of one").version], [[["one", "sent"]], 7]);
    await outbox.remove("nonce of one");
    assert.deepEqual(shown(outbox), []);
  });

  test(`${kind}: drafts are kept for each room, and go when they are empty`, async () => {
    if (!withStorage) storage = undefined;
    const outbox = await openTab();
    outbox.saveDraft("lobby", "half a thought");
    assert.equal(await outbox.draft("lobby"), "half a thought");
    assert.equal(await outbox.draft("attic"), "");
    outbox.saveDraft("lobby", "");
    assert.equal(await outbox.draft("lobby"), "");
  });
}

test("after a reload everything is there, in the order it was written, with the same nonces", async () => {
  const before = await openTab();
  for (const text of ["one", "two", "three"]) write(before, text);
  await before.fail("nonce of two", { code: "forbidden", message: "No." });
  const after = await openTab();
  assert.deepEqual(shown(after), [
    ["one", "sending"],
    ["two", "failed"],
    ["three", "sending"],
  ]);
  assert.deepEqual(
    after.entries.map(({ nonce }) => nonce),
    ["nonce of one", "nonce of two", "nonce of three"],
  );
});

test("after a reload drafts are there", async () => {
  await (await openTab()).saveDraft("lobby", "half a thought");
  assert.equal(await (await openTab()).draft("lobby"), "half a thought");
});

test("what was acknowledged before the reload is not there after it", async () => {
  const before = await openTab();
  write(before, "one");
  await before.acknowledge("nonce of one", { seq: 7, version: 7 });
  assert.deepEqual(shown(await openTab()), []);
  assert.deepEqual(shown(await openTab()), []);
});

test("another user of the same browser has nothing of it", async () => {
  const alice = await openTab("alice");
  write(alice, "one");
  await alice.saveDraft("lobby", "half a thought");
  await everythingStored();
  alice.on("change", () => assert.fail("what another user does is no change"));
  const bob = await openTab("bob");
  assert.deepEqual(shown(bob), []);
  assert.equal(await bob.draft("lobby"), "");
  await write(bob, "of bob");
  await everythingStored();
  assert.deepEqual(shown(alice), [["one", "sending"]]);
});

test("two tabs of a user see the same", async () => {
  const [first, second] = [await openTab(), await openTab()];
  await write(first, "one");
  await everythingStored();
  assert.deepEqual(shown(second), [["one", "sending"]]);
  await write(second, "two");
  await first.fail("nonce of one", { code: "forbidden", message: "No." });
  await everythingStored();
  assert.deepEqual(shown(first), [
    ["one", "failed"],
    ["two", "sending"],
  ]);
  assert.deepEqual(shown(second), shown(first));
  await second.remove("nonce of one");
  await everythingStored();
  assert.deepEqual(shown(first), [["two", "sending"]]);
});

test("what is being written here is not lost when another tab says that something changed", async () => {
  const [first, second] = [await openTab(), await openTab()];
  const written = [];
  for (let round = 0; round < 20; round++) {
    written.push(write(first, `first ${round}`), write(second, `second ${round}`));
    await Promise.resolve();
    assert.ok(first.find(`nonce of first ${round}`), "a message must not vanish while it is being stored");
  }
  await Promise.all(written);
  await everythingStored();
  assert.equal(first.entries.length, 40);
  assert.deepEqual(shown(first), shown(second));
});

test("says that it changed, whoever changed it", async () => {
  const [first, second] = [await openTab(), await openTab()];
  const heard = [];
  first.on("change", () => heard.push("first"));
  second.on("change", () => heard.push("second"));
  await write(first, "one");
  await everythingStored();
  assert.deepEqual(heard, ["first", "second"]);
});

test("what is settled is sent for the other tabs first, and goes a little later", async () => {
  const [first, second] = [await openTab(), await openTab()];
  await write(first, "one");
  first.settle("nonce of one", { seq: 7, version: 7 });
  first.settle("nonce of one", { seq: 7, version: 7 });
  await everythingStored();
  assert.deepEqual(shown(second), [["one", "sent"]]);
  assert.equal(second.find("nonce of one").version, 7);
  await clock.pass(1000);
  await everythingStored();
  assert.deepEqual([shown(first), shown(second)], [[], []]);
});

test("what is written in the page's last moment is stored", async () => {
  const before = await openTab();
  const otherTab = await openTab();
  write(before, "one");
  otherTab.saveDraft("lobby", "half a thought");
  storage.isPageGone = true;
  await everythingStored();
  storage.isPageGone = false;
  const after = await openTab();
  assert.deepEqual(shown(after), [["one", "sending"]]);
  assert.equal(await after.draft("lobby"), "half a thought");
});

test("what happens to a message that is gone is nothing", async () => {
  const outbox = await openTab();
  await outbox.retry("no such nonce");
  await outbox.acknowledge("no such nonce", { seq: 1, version: 1 });
  await outbox.remove("no such nonce");
  assert.deepEqual(shown(outbox), []);
});

test("a storage that breaks later loses nothing of this page", async () => {
  const outbox = await openTab();
  await write(outbox, "one");
  storage.isBroken = true;
  await write(outbox, "two");
  await outbox.fail("nonce of one", { code: "forbidden", message: "No." });
  await outbox.refresh();
  assert.deepEqual(shown(outbox), [
    ["one", "failed"],
    ["two", "sending"],
  ]);
  await outbox.saveDraft("lobby", "half a thought");
  assert.equal(await outbox.draft("lobby"), "half a thought");
});

test("a storage that cannot be opened, or never answers, is done without", async () => {
  storage.isBroken = true;
  const refused = await openTab();
  await write(refused, "one");
  assert.deepEqual(shown(refused), [["one", "sending"]]);
  storage = { open: () => ({}) };
  const opening = openTab();
  await clock.pass(10_000);
  const silent = await opening;
  await write(silent, "one");
  assert.deepEqual(shown(silent), [["one", "sending"]]);
});
