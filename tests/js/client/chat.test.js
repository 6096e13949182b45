import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Chat } from "../../../chat/static/chat/client/chat.js";
import { Connection } from "../../../chat/static/chat/client/connection.js";
import { openOutbox } from "../../../chat/static/chat/client/outbox.js";
import { FakeClock, FakeLocks, fakeChannels, fakeWebSockets, settled } from "../fakes.js";
import { FakeIndexedDB } from "../fake_indexeddb.js";

const EPOCH = "k3f9a2xx";

let clock;
let storage;
let openChannel;
let locks;

beforeEach(() => {
  clock = new FakeClock();
  storage = new FakeIndexedDB();
  openChannel = fakeChannels();
  locks = new FakeLocks();
});

/** A tab with the lobby open, as the page wires it. */
async function openTab({ user = "alice" } = {}) {
  const web = fakeWebSockets();
  web.FakeWebSocket.isLively = true;
  const connection = new Connection({
    WebSocket: web.FakeWebSocket,
    url: "ws://chat.test/ws/",
    clock,
    random: () => 0,
    positions: () => chat.positions(),
  });
  const outbox = await openOutbox({ user, clock, storage, channel: openChannel() });
  const chat = new Chat({ connection, outbox, clock, locks, crypto, random: () => 0 });
  const room = chat.open("lobby", "Lobby");
  chat.connect();
  return { web, connection, outbox, chat, room, sent: (type) => web.latest().framesOf(type) };
}

async function joinLobby(tab, messages = [], rest = {}) {
  tab.web.latest().greets(rest.hello);
  await answerJoin(tab, { head: messages.at(-1)?.version ?? 0, messages, ...rest });
}

async function answerJoin(tab, page) {
  await settled();
  const { id, after } = tab.sent("join").at(-1);
  tab.web.latest().says({ type: "joined", id, after, room: "lobby", title: "Lobby", epoch: EPOCH, ...page });
  await quiet();
}

async function openJoinedTab(messages, rest) {
  const tab = await openTab();
  await joinLobby(tab, messages, rest);
  return tab;
}

async function cutAndGreet(tab) {
  tab.web.latest().breaks();
  await clock.pass(500);
  tab.web.latest().greets();
  await quiet();
}

function message(seq, { version = seq, ordinal = seq, author = "bob", nonce = `n${seq}`, text = `text ${seq}` } = {}) {
  return { type: "message", room: "lobby", seq, ordinal, version, author, nonce, text, created_at: "2026-11-20T12:00:00Z" };
}

async function quiet() {
  for (let turn = 0; turn < 10; turn++) await settled();
}

function unsent(tab) {
  return tab.outbox.entries.filter(({ status }) => status !== "sent");
}

function shown(tab) {
  return tab.room.lines().map(({ text, status }) => [text, status]);
}

// Rooms

test("after the greeting every open room is joined", async () => {
  const tab = await openTab();
  tab.chat.open("attic");
  tab.web.latest().greets();
  await quiet();
  assert.deepEqual(
    tab.sent("join").map(({ room, after }) => [room, after]),
    [
      ["lobby", undefined],
      ["attic", undefined],
    ],
  );
});

test("a room opened while online is joined at once, one opened twice is the same", async () => {
  const tab = await openJoinedTab();
  const attic = tab.chat.open("attic");
  await quiet();
  assert.equal(tab.sent("join").at(-1).room, "attic");
  assert.equal(tab.chat.open("attic"), attic);
  assert.equal(tab.sent("join").length, 2);
});

test("after a cut the room is joined from where it was, with its epoch", async () => {
  const tab = await openJoinedTab([message(1), message(2)]);
  await cutAndGreet(tab);
  const { room, after, epoch } = tab.sent("join")[0];
  assert.deepEqual({ room, after, epoch }, { room: "lobby", after: 2, epoch: EPOCH });
  await answerJoin(tab, { head: 3, messages: [message(3)] });
  assert.deepEqual(
    shown(tab).map(([text]) => text),
    ["text 1", "text 2", "text 3"],
  );
});

test("an answer and the events after it in one frame are all applied", async () => {
  const tab = await openTab();
  tab.web.latest().greets();
  await settled();
  const { id } = tab.sent("join")[0];
  const joined = { type: "joined", id, room: "lobby", epoch: EPOCH, head: 1, messages: [message(1)] };
  const filled = { type: "joined", room: "lobby", epoch: EPOCH, after: 2, head: 4, messages: [message(3), message(4)] };
  tab.web.latest().says(joined, message(2), filled, message(5));
  assert.deepEqual([tab.room.version, tab.room.isLive], [5, true]);
});

test("a hole is asked for once, and filled", async () => {
  const tab = await openJoinedTab([message(1)]);
  tab.web.latest().says(message(4));
  tab.web.latest().says(message(5));
  await quiet();
  assert.deepEqual(
    tab
      .sent("join")
      .slice(1)
      .map(({ after }) => after),
    [1],
  );
  await answerJoin(tab, { head: 4, messages: [message(2), message(3), message(4)] });
  assert.equal(tab.room.version, 5);
});

test("several pages are asked for one after the other without waiting", async () => {
  const tab = await openJoinedTab([message(1)]);
  await cutAndGreet(tab);
  await answerJoin(tab, { head: 2, messages: [message(2)], more: true });
  await answerJoin(tab, { head: 3, messages: [message(3)], more: true });
  await answerJoin(tab, { head: 4, messages: [message(4)] });
  assert.deepEqual(
    tab.sent("join").map(({ after }) => after),
    [1, 2, 3],
  );
  assert.equal(tab.room.isLive, true);
});

test("an answer that does not help is not asked for again in haste", async () => {
  const tab = await openJoinedTab([message(1)]);
  tab.web.latest().says(message(9));
  await answerJoin(tab, { head: 1, messages: [] });
  assert.equal(tab.sent("join").length, 2);
  await clock.pass(499);
  assert.equal(tab.sent("join").length, 2);
  await clock.pass(1);
  assert.equal(tab.sent("join").length, 3);
});

test("resync, as an answer or out of the blue, loads the room afresh", async () => {
  const tab = await openJoinedTab([message(1)]);
  await cutAndGreet(tab);
  tab.web.latest().says({ type: "resync", id: tab.sent("join")[0].id, room: "lobby", reason: "too old" });
  await answerJoin(tab, { head: 7, messages: [message(7)], epoch: "another" });
  assert.deepEqual(shown(tab), [["text 7", "sent"]]);
  tab.web.latest().says({ type: "resync", room: "lobby", reason: "restored" });
  await answerJoin(tab, { head: 3, messages: [message(3)], epoch: "third" });
  await clock.pass(1000);
  await answerJoin(tab, { head: 3, messages: [message(3)], epoch: "third" });
  assert.deepEqual(shown(tab), [["text 3", "sent"]]);
});

for (const [error, waitMs] of [
  [{ code: "unavailable", retry_after: 2 }, 2000],
  [{ code: "internal" }, 500],
]) {
  test(`a join that fails as ${error.code} is tried again later`, async () => {
    const tab = await openTab();
    tab.web.latest().greets();
    await settled();
    tab.web.latest().says({ type: "error", id: tab.sent("join")[0].id, room: "lobby", message: "No.", ...error });
    await quiet();
    await clock.pass(waitMs - 1);
    assert.equal(tab.sent("join").length, 1);
    await clock.pass(1);
    assert.equal(tab.sent("join").length, 2);
  });
}

test("a room that refuses us says why, and is asked again seldom", async () => {
  const tab = await openTab();
  tab.web.latest().greets();
  await settled();
  tab.web
    .latest()
    .says({ type: "error", id: tab.sent("join")[0].id, room: "lobby", code: "forbidden", message: "No." });
  await quiet();
  await clock.pass(4_000);
  assert.deepEqual([tab.room.refusal, tab.sent("join").length], ["forbidden", 1]);
  await clock.pass(7_000);
  assert.deepEqual([tab.room.refusal, tab.sent("join").length], ["forbidden", 2]);
});

test("removed from a room it stays as it was, and comes back when it is let in again", async () => {
  const tab = await openJoinedTab([message(1)]);
  tab.web.latest().says({ type: "left", room: "lobby", reason: "removed" });
  assert.deepEqual([tab.room.refusal, shown(tab)], ["forbidden", [["text 1", "sent"]]]);
  await clock.pass(11_000);
  const asked = tab.sent("join").at(-1);
  assert.equal(asked.after, 1);
  assert.equal(tab.room.refusal, "forbidden");
  tab.web.latest().says({ type: "joined", id: asked.id, room: "lobby", title: "Lobby", epoch: EPOCH, head: 2, after: 1, messages: [message(2)] });
  await quiet();
  assert.deepEqual([tab.room.refusal, shown(tab).length], [null, 2]);
});

test("a room that was left is told so, and not joined again", async () => {
  const tab = await openJoinedTab([message(1)]);
  tab.chat.leave("lobby");
  assert.equal(tab.sent("leave").length, 1);
  tab.web.latest().says(message(2));
  await cutAndGreet(tab);
  assert.equal(tab.sent("join").length, 0);
});

test("a room that was left while a join was to be tried again is not joined", async () => {
  const tab = await openTab();
  tab.web.latest().greets();
  await settled();
  tab.web
    .latest()
    .says({ type: "error", id: tab.sent("join")[0].id, room: "lobby", code: "unavailable", message: "Later." });
  await quiet();
  tab.chat.leave("lobby");
  await clock.pass(60_000);
  assert.equal(tab.sent("join").length, 1);
});

test("the heartbeat says where the live rooms stand", async () => {
  const tab = await openJoinedTab([message(1), message(2)]);
  tab.chat.open("attic");
  await clock.pass(10_000);
  assert.deepEqual(tab.sent("heartbeat")[0].at, { lobby: 2 });
});

test("older messages are asked for, and said to have come", async () => {
  const tab = await openJoinedTab([message(8), message(9)], { earlier: true });
  const changed = [];
  tab.chat.on("room", (room) => changed.push(room.slug));
  const loading = tab.chat.loadEarlier("lobby");
  assert.equal(await tab.chat.loadEarlier("lobby"), false);
  const { id, before } = tab.sent("history")[0];
  tab.web.latest().says({ type: "history", id, room: "lobby", messages: [message(1)], more: false });
  assert.deepEqual([await loading, before, changed], [true, 8, ["lobby"]]);
  assert.deepEqual(
    shown(tab).map(([text]) => text),
    ["text 1", "text 8", "text 9"],
  );
});

test("older messages that do not come are a rejection, and can be asked for again", async () => {
  const tab = await openJoinedTab([message(9)], { earlier: true });
  const failure = assert.rejects(tab.chat.loadEarlier("lobby"), { code: "unavailable" });
  await settled();
  tab.web.latest().says({ type: "error", id: tab.sent("history")[0].id, code: "unavailable", message: "Later." });
  await failure;
  tab.chat.loadEarlier("lobby").catch(() => {});
  await settled();
  assert.equal(tab.sent("history").length, 2);
});

test("around a message is shown what the server has there; its end is a step away", async () => {
  const tab = await openJoinedTab([message(98), message(99)], { earlier: true });
  const jump = tab.chat.showAround("lobby", 50);
  const { id, around } = tab.sent("history")[0];
  tab.web.latest().says({ type: "history", id, room: "lobby", messages: [message(49), message(50)], earlier: true, later: true });
  assert.deepEqual([await jump, around], [true, 50]);
  assert.deepEqual(tab.room.lines().map(({ seq }) => seq), [49, 50]);
  const loading = tab.chat.loadLater("lobby");
  const asked = tab.sent("history")[1];
  tab.web.latest().says({ type: "history", id: asked.id, room: "lobby", messages: [message(51)], more: true });
  assert.deepEqual([await loading, asked.after], [true, 50]);
  tab.chat.showEnd("lobby");
  assert.deepEqual(tab.room.lines().map(({ seq }) => seq), [98, 99]);
  assert.equal(await tab.chat.showAround("lobby", 99), true);
});

test("a message that is not there is a rejection; without a line nothing is asked", async () => {
  const tab = await openJoinedTab([message(9)], { earlier: true });
  const refused = assert.rejects(tab.chat.showAround("lobby", 5), { code: "not_found" });
  tab.web.latest().says({ type: "error", id: tab.sent("history")[0].id, code: "not_found", message: "No." });
  await refused;
  tab.chat.disconnect();
  assert.equal(await tab.chat.showAround("lobby", 5), false);
});

// Sending

test("a message is shown at once, sent, and becomes the confirmed one", async () => {
  const tab = await openJoinedTab();
  const nonce = tab.chat.post("lobby", "hello");
  assert.deepEqual(shown(tab), [["hello", "sending"]]);
  const [{ key }] = tab.room.lines();
  await quiet();
  const [post] = tab.sent("post");
  assert.equal(post.nonce, nonce);
  tab.web.latest().says({ type: "ack", id: post.id, room: "lobby", seq: 1, version: 1, nonce });
  await quiet();
  assert.deepEqual(shown(tab), [["hello", "sent"]]);
  tab.web.latest().says(message(1, { author: "alice", nonce, text: "hello" }));
  await quiet();
  assert.deepEqual([shown(tab), tab.room.lines()[0].key, unsent(tab)], [[["hello", "sent"]], key, []]);
});

test("it does not matter whether the event or the acknowledgement comes first, or whether that one comes at all", async () => {
  const tab = await openJoinedTab();
  const nonce = tab.chat.post("lobby", "hello");
  await quiet();
  tab.web.latest().says(message(1, { author: "alice", nonce, text: "hello" }));
  await quiet();
  assert.deepEqual([shown(tab), unsent(tab)], [[["hello", "sent"]], []]);
  await cutAndGreet(tab);
  assert.equal(tab.sent("post").length, 0);
});

test("what came through before the line broke is found in the catch-up, and shown once", async () => {
  const tab = await openJoinedTab();
  const nonce = tab.chat.post("lobby", "hello");
  await quiet();
  await cutAndGreet(tab);
  await answerJoin(tab, { head: 1, messages: [message(1, { author: "alice", nonce, text: "hello" })] });
  const again = tab.sent("post");
  if (again.length)
    tab.web.latest().says({ type: "ack", id: again[0].id, room: "lobby", seq: 1, version: 1, nonce, duplicate: true });
  await quiet();
  assert.deepEqual([shown(tab), unsent(tab)], [[["hello", "sent"]], []]);
});

test("at no moment is a message of ours out of sight or there twice", async () => {
  const tab = await openJoinedTab();
  const counts = new Set();
  const nonce = tab.chat.post("lobby", "hello");
  tab.chat.on("room", (room) => counts.add(room.lines().filter(({ text }) => text === "hello").length));
  await quiet();
  const [{ id }] = tab.sent("post");
  tab.web.latest().says({ type: "ack", id, room: "lobby", seq: 2, version: 2, nonce });
  await quiet();
  tab.web.latest().says(message(1), message(2, { author: "alice", nonce, text: "hello" }));
  await quiet();
  assert.deepEqual([...counts], [1]);
});

test("what another tab sent stays in sight on a tab without a line, until it has come that far itself", async () => {
  const [first, second] = [await openJoinedTab(), await openJoinedTab()];
  second.chat.disconnect();
  const nonce = second.chat.post("lobby", "hello");
  await quiet();
  first.web.latest().says({ type: "ack", id: first.sent("post")[0].id, room: "lobby", seq: 1, version: 1, nonce });
  first.web.latest().says(message(1, { author: "alice", nonce, text: "hello" }));
  await clock.pass(5000);
  await quiet();
  assert.deepEqual([shown(second), second.outbox.entries], [[["hello", "sent"]], []]);
  second.chat.connect();
  second.web.latest().greets();
  await answerJoin(second, { head: 1, messages: [message(1, { author: "alice", nonce, text: "hello" })] });
  assert.deepEqual(shown(second), [["hello", "sent"]]);
});

test("one that failed can be tried again or deleted", async () => {
  const tab = await openJoinedTab();
  const nonce = tab.chat.post("lobby", "hello");
  await quiet();
  tab.web.latest().says({ type: "error", id: tab.sent("post")[0].id, code: "forbidden", message: "No.", nonce });
  await quiet();
  assert.deepEqual(shown(tab), [["hello", "failed"]]);
  tab.chat.retry(nonce);
  await quiet();
  assert.deepEqual(
    tab.sent("post").map((post) => post.nonce),
    [nonce, nonce],
  );
  tab.chat.discard(nonce);
  assert.deepEqual(shown(tab), []);
});

test("what was written before a reload is shown and sent after it", async () => {
  const before = await openTab();
  before.chat.post("lobby", "hello");
  await quiet();
  const after = await openTab();
  assert.deepEqual(shown(after), [["hello", "sending"]]);
  await joinLobby(after);
  assert.deepEqual(
    after.sent("post").map(({ text }) => text),
    ["hello"],
  );
});

test("what one tab writes the other tab shows, and it ends as one message in both", async () => {
  const [first, second] = [await openJoinedTab(), await openJoinedTab()];
  const nonce = first.chat.post("lobby", "hello");
  await quiet();
  assert.deepEqual(shown(second), [["hello", "sending"]]);
  const tabs = [first, second];
  const sender = tabs.find((tab) => tab.sent("post").length > 0);
  sender.web.latest().says({ type: "ack", id: sender.sent("post")[0].id, room: "lobby", seq: 1, version: 1, nonce });
  tabs.forEach((tab) => tab.web.latest().says(message(1, { author: "alice", nonce, text: "hello" })));
  await quiet();
  for (const tab of tabs) assert.deepEqual([shown(tab), unsent(tab)], [[["hello", "sent"]], []]);
  assert.equal(first.sent("post").length + second.sent("post").length, 1);
});

test("when somebody else is signed in on this browser the page is signed out, and sends nothing", async () => {
  const tab = await openTab();
  tab.chat.post("lobby", "secret of alice");
  tab.web.latest().greets({ name: "bob" });
  await quiet();
  await clock.pass(60_000);
  assert.equal(tab.chat.state.name, "signed-out");
  assert.deepEqual([tab.sent("join"), tab.sent("post"), tab.web.sockets.length], [[], [], 1]);
});

// Others

test("a live message of somebody is announced, once; a change or a repeat is not", async () => {
  const tab = await openJoinedTab([message(1)]);
  const heard = [];
  tab.chat.on("message", ({ message: { text } }) => heard.push(text));
  tab.web.latest().says(message(2), message(2), message(1, { version: 3, text: "edited" }));
  assert.deepEqual(heard, ["text 2"]);
});

test("who is here is known from the join, and kept from then on", async () => {
  const tab = await openTab();
  const counts = [];
  tab.chat.on("presence", ({ presence: { names, count } }) => counts.push([names, count]));
  await joinLobby(tab, [], { online: { count: 2, names: ["bob", "alice"] } });
  tab.web.latest().says({ type: "presence", room: "lobby", joined: ["Carol"], left: ["bob"], count: 2 });
  tab.web.latest().says({ type: "presence", room: "elsewhere", joined: ["dave"], count: 1 });
  assert.deepEqual(counts, [
    [["alice", "bob"], 2],
    [["alice", "Carol"], 2],
  ]);
});

test("typing is said at most once in 3 s", async () => {
  const tab = await openJoinedTab();
  tab.chat.typing("lobby");
  await clock.pass(2999);
  tab.chat.typing("lobby");
  assert.equal(tab.sent("typing").length, 1);
  await clock.pass(1);
  tab.chat.typing("lobby");
  assert.equal(tab.sent("typing").length, 2);
});

test("the reading position known to the server is not told again", async () => {
  const tab = await openJoinedTab([message(1), message(2)], {
    hello: { rooms: [{ room: "lobby", head: 2, last: 2, read: 1 }] },
  });
  tab.chat.seen("lobby", 1);
  assert.equal(tab.sent("read").length, 0);
  tab.chat.seen("lobby", 2);
  assert.deepEqual(tab.sent("read"), [{ type: "read", room: "lobby", seq: 2 }]);
});

test("the limit of a message is the server's", async () => {
  const tab = await openJoinedTab([], { hello: { limits: { text: 100 } } });
  assert.equal(tab.chat.textLimit, 100);
});

test("frames of a kind or a room not known are no trouble", async () => {
  const tab = await openJoinedTab([message(1)]);
  tab.web.latest().says({ type: "from the future" }, { ...message(2), room: "elsewhere" }, message(2));
  assert.equal(tab.room.version, 2);
});

test("a change shows at once, is sent with a nonce, and is settled when the room has come that far", async () => {
  const tab = await openJoinedTab([message(1, { author: "alice", text: "helo" })]);
  tab.chat.edit("lobby", 1, "hello");
  assert.deepEqual(shown(tab), [["hello", "sent"]]);
  await quiet();
  const [{ id, nonce, ...edit }] = tab.sent("edit");
  assert.deepEqual(edit, { type: "edit", room: "lobby", seq: 1, text: "hello" });
  tab.web.latest().says({ type: "ack", id, room: "lobby", seq: 1, version: 2, nonce });
  await quiet();
  assert.deepEqual([tab.outbox.entries.length, shown(tab)], [1, [["hello", "sent"]]]);
  tab.web.latest().says(message(1, { version: 2, author: "alice", text: "hello" }));
  await clock.pass(2000);
  await quiet();
  assert.deepEqual([tab.outbox.entries, shown(tab)], [[], [["hello", "sent"]]]);
});

test("a change made without a line is sent when there is one, once, with the same nonce after a cut", async () => {
  const tab = await openJoinedTab([message(1)]);
  tab.web.latest().breaks();
  tab.chat.react("lobby", 1, "👍", true);
  assert.deepEqual(tab.room.lines()[0].reactions, { "👍": ["alice"] });
  await clock.pass(500);
  tab.web.latest().greets();
  await quiet();
  const [first] = tab.sent("react");
  assert.deepEqual([first.emoji, first.on, first.seq], ["👍", true, 1]);
  await cutAndGreet(tab);
  assert.deepEqual(
    tab.sent("react").map(({ nonce }) => nonce),
    [first.nonce],
  );
});

test("a refused change is told beside the message, and can be let go", async () => {
  const tab = await openJoinedTab([message(1)]);
  const nonce = tab.chat.delete("lobby", 1);
  await quiet();
  assert.equal(tab.room.lines()[0].deleted, true);
  const { id } = tab.sent("delete")[0];
  tab.web.latest().says({ type: "error", id, code: "forbidden", message: "No.", room: "lobby", nonce });
  await quiet();
  const [line] = tab.room.lines();
  assert.deepEqual([line.deleted, line.text, line.change.error.code], [undefined, "text 1", "forbidden"]);
  tab.chat.discard(nonce);
  assert.equal(tab.room.lines()[0].change, undefined);
});

test("a moderator is told so with the room", async () => {
  const tab = await openJoinedTab([message(1)], { role: "moderator" });
  assert.equal(tab.room.mayModerate, true);
});
