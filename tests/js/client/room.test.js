import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Room } from "../../../chat/static/chat/client/room.js";

const EPOCH = "k3f9a2xx";

let room;

beforeEach(() => {
  room = new Room("lobby", "Lobby");
});

function message(seq, { version = seq, author = "bob", nonce = `n${seq}`, ...rest } = {}) {
  return {
    type: "message",
    room: "lobby",
    seq,
    version,
    author,
    nonce,
    text: `text ${seq}`,
    created_at: "2026-11-20T12:00:00Z",
    ...rest,
  };
}

/** An answer to a join; an answer has an id. */
function page(head, messages, rest = {}) {
  return { type: "joined", id: "1", room: "lobby", title: "Lobby", epoch: EPOCH, head, messages, ...rest };
}

function join(head, messages, rest = {}) {
  room.nextJoin();
  room.joined(page(head, messages, rest));
}

function seqs() {
  return room.lines().map(({ seq }) => seq);
}

test("asks for the latest page first, and only once", () => {
  assert.deepEqual(room.nextJoin(), { room: "lobby" });
  assert.equal(room.nextJoin(), null);
});

test("is live with the answer, at its position, and needs nothing", () => {
  join(2, [message(1), message(2)]);
  assert.deepEqual([room.isLive, room.version, seqs()], [true, 2, [1, 2]]);
  assert.equal(room.nextJoin(), null);
});

test("an empty room is known, live, and at zero", () => {
  join(0, []);
  assert.deepEqual([room.isKnown, room.isLive, room.version, room.lastSeq, room.hasEarlier], [true, true, 0, 0, false]);
});

test("the next event is applied, and said to be new", () => {
  join(1, [message(1)]);
  assert.deepEqual(
    room.receive(message(2)).map(({ seq }) => seq),
    [2],
  );
  assert.deepEqual(seqs(), [1, 2]);
});

test("repeats change nothing and are not new", () => {
  join(2, [message(1), message(2)]);
  assert.deepEqual(room.receive(message(2)), []);
  assert.deepEqual(room.receive(message(1, { text: "older" })), []);
  assert.deepEqual(
    room.lines().map(({ text }) => text),
    ["text 1", "text 2"],
  );
});

test("a change of a message is its whole state, at its place, and not new", () => {
  join(2, [message(1), message(2)]);
  const news = room.receive(
    message(1, { version: 3, text: "edited", edited_at: "2026-11-20T12:01:00Z", reactions: { "👍": ["alice"] } }),
  );
  assert.deepEqual(news, []);
  const [first] = room.lines();
  assert.deepEqual(
    [first.text, first.edited_at, first.reactions],
    ["edited", "2026-11-20T12:01:00Z", { "👍": ["alice"] }],
  );
  room.receive(message(2, { version: 4, text: "", deleted: true }));
  assert.equal(room.lines()[1].deleted, true);
  assert.equal(room.version, 4);
});

test("an event ahead is held; the hole is asked for once; then all are applied in order", () => {
  join(1, [message(1)]);
  assert.deepEqual(room.receive(message(4)), []);
  assert.deepEqual(seqs(), [1]);
  assert.equal(room.isLive, false);
  assert.deepEqual(room.nextJoin(), { room: "lobby", after: 1, epoch: EPOCH });
  room.receive(message(5));
  assert.equal(room.nextJoin(), null);
  room.joined(page(3, [message(2), message(3)], { after: 1 }));
  assert.deepEqual([seqs(), room.version, room.isLive], [[1, 2, 3, 4, 5], 5, true]);
});

test("events that come before the answer of the first join are held for it", () => {
  room.nextJoin();
  room.receive(message(3));
  assert.deepEqual(seqs(), []);
  room.joined(page(2, [message(1), message(2)]));
  assert.deepEqual(seqs(), [1, 2, 3]);
});

test("a hole that the answer does not fill is asked for again, from further on", () => {
  join(1, [message(1)]);
  room.receive(message(9));
  room.nextJoin();
  room.joined(page(4, [message(2), message(3), message(4)], { after: 1 }));
  assert.deepEqual(room.nextJoin(), { room: "lobby", after: 4, epoch: EPOCH });
});

test("an answer in several pages is asked for to the end before it is live", () => {
  join(1, [message(1)]);
  room.disconnected();
  room.nextJoin();
  room.joined(page(3, [message(2), message(3)], { after: 1, more: true }));
  assert.equal(room.isLive, false);
  assert.deepEqual(room.nextJoin(), { room: "lobby", after: 3, epoch: EPOCH });
  room.joined(page(5, [message(5)], { after: 3 }));
  assert.deepEqual([seqs(), room.version, room.isLive], [[1, 2, 3, 5], 5, true]);
});

test("after a cut it asks from where it was, whatever was asked before", () => {
  join(2, [message(1), message(2)]);
  room.receive(message(9));
  const lost = room.nextJoin();
  room.disconnected();
  assert.deepEqual(room.nextJoin(), { room: "lobby", after: 2, epoch: EPOCH });
  room.joinFailed(lost);
  assert.equal(room.nextJoin(), null);
});

test("a join that failed is asked again", () => {
  const asked = room.nextJoin();
  room.joinFailed(asked);
  assert.deepEqual(room.nextJoin(), { room: "lobby" });
});

test("a page that nobody asked for fills what it can", () => {
  join(1, [message(1)]);
  room.joined({ ...page(4, [message(2), message(4)], { after: 1 }), id: undefined });
  assert.deepEqual([seqs(), room.version, room.isLive], [[1, 2, 4], 4, true]);
});

test("a page from further on than the position is not believed to connect", () => {
  join(1, [message(1)]);
  room.joined({ ...page(6, [message(5), message(6)], { after: 4 }), id: undefined });
  assert.deepEqual([seqs(), room.version], [[1], 1]);
  assert.deepEqual(room.nextJoin(), { room: "lobby", after: 1, epoch: EPOCH });
});

test("a page that nobody asked for and that is not all is asked on from", () => {
  join(1, [message(1)]);
  room.joined({ ...page(4, [message(2), message(4)], { after: 1, more: true }), id: undefined });
  assert.deepEqual([seqs(), room.version], [[1, 2, 4], 4]);
  assert.deepEqual(room.nextJoin(), { room: "lobby", after: 4, epoch: EPOCH });
});

test("a page that nobody asked for does not settle the question that was", () => {
  join(1, [message(1)]);
  room.disconnected();
  const asked = room.nextJoin();
  room.joined({ ...page(6, [message(5), message(6)], { after: 4 }), id: undefined });
  assert.deepEqual([room.isLive, room.nextJoin()], [false, null]);
  room.joinFailed(asked);
  assert.deepEqual(room.nextJoin(), { room: "lobby", after: 1, epoch: EPOCH });
});

test("resync throws everything away, keeps what is pending, and asks for the latest page", () => {
  join(2, [message(1), message(2)]);
  room.setPending([{ user: "alice", nonce: "mine", text: "hello", status: "sending" }]);
  room.resync();
  assert.deepEqual([room.isKnown, room.lines().map(({ nonce }) => nonce)], [false, ["mine"]]);
  assert.deepEqual(room.nextJoin(), { room: "lobby" });
  room.joined(page(1, [message(1, { text: "restored" })], { epoch: "another" }));
  assert.deepEqual(
    room.lines().map(({ text }) => text),
    ["restored", "hello"],
  );
});

test("what was sent before a resync is shown if it is still there, and is not waited for", () => {
  const sent = [
    { ...MINE, status: "sent", seq: 2, version: 2 },
    { ...MINE, nonce: "lost", status: "sent", seq: 3, version: 3 },
  ];
  join(2, [message(1), message(2, { author: "alice", nonce: "mine" })]);
  room.setPending(sent);
  assert.deepEqual(room.lines().length, 3);
  room.resync();
  room.nextJoin();
  room.joined(page(2, [message(1), message(2, { author: "alice", nonce: "mine" })], { epoch: "another" }));
  assert.deepEqual([seqs(), room.settled().map(({ nonce }) => nonce)], [[1, 2], ["mine", "lost"]]);
  room.setPending([]);
  assert.deepEqual(seqs(), [1, 2]);
});

test("another epoch in the answer is a resync", () => {
  join(2, [message(1), message(2)]);
  room.disconnected();
  room.nextJoin();
  room.joined(page(3, [message(3)], { after: 2, epoch: "another" }));
  assert.deepEqual([seqs(), room.nextJoin()], [[], { room: "lobby" }]);
});

test("refused it stays away and shows what it had, until it is let in again", () => {
  join(1, [message(1)]);
  room.refused("forbidden");
  assert.deepEqual([room.refusal, room.isLive, room.nextJoin(), seqs()], ["forbidden", false, null, [1]]);
  room.disconnected();
  assert.deepEqual(room.nextJoin(), { room: "lobby", after: 1, epoch: EPOCH });
  assert.equal(room.refusal, "forbidden");
  room.joined(page(1, [], { after: 1 }));
  assert.equal(room.refusal, null);
});

// Older messages

test("older messages are asked for once, and come before", () => {
  join(9, [message(8), message(9)], { earlier: true });
  const asked = room.nextHistory();
  assert.deepEqual(asked, { room: "lobby", before: 8 });
  assert.equal(room.nextHistory(), null);
  room.historyCame(asked, { messages: [message(5), message(7)], more: true });
  assert.deepEqual([seqs(), room.nextHistory()], [[5, 7, 8, 9], { room: "lobby", before: 5 }]);
});

test("at the beginning there is nothing more to ask", () => {
  join(9, [message(8), message(9)], { earlier: true });
  room.historyCame(room.nextHistory(), { messages: [message(1)], more: false });
  assert.deepEqual([room.hasEarlier, room.nextHistory()], [false, null]);
});

test("history that failed can be asked again; an answer from before a resync is not wanted", () => {
  join(9, [message(9)], { earlier: true });
  room.historyFailed(room.nextHistory());
  const asked = room.nextHistory();
  assert.notEqual(asked, null);
  room.resync();
  join(9, [message(9)], { earlier: true });
  room.historyCame(asked, { messages: [message(3)], more: true });
  assert.deepEqual(seqs(), [9]);
});

test("a change of a message that is not shown yet is kept for when it is, against an older page", () => {
  join(9, [message(9)], { earlier: true });
  const asked = room.nextHistory();
  room.receive(message(5, { version: 10, text: "edited" }));
  assert.deepEqual(seqs(), [9]);
  room.historyCame(asked, { messages: [message(5)], more: false });
  assert.deepEqual(
    room.lines().map(({ text }) => text),
    ["edited", "text 9"],
  );
});

// Around a message of long ago

/** The page around a message, two before it and two after, of a room of messages 1 to 100. */
function goTo(seq) {
  const asked = room.nextAround(seq);
  const places = [-2, -1, 0, 1, 2].map((step) => seq + step).filter((place) => place >= 1 && place <= 100);
  room.historyCame(asked, { messages: places.map((place) => message(place)), earlier: seq > 3, later: seq < 98 });
  return asked;
}

function joinLong() {
  join(100, [message(98), message(99), message(100)], { earlier: true });
}

test("around an old message is shown what stands there, apart from the end", () => {
  joinLong();
  assert.equal(room.showAround(50), false);
  assert.deepEqual(goTo(50), { room: "lobby", around: 50 });
  assert.deepEqual([seqs(), room.isAtEnd, room.showAround(50)], [[48, 49, 50, 51, 52], false, true]);
  room.receive(message(101));
  room.setPending([{ user: "alice", nonce: "a1", text: "mine", status: "sending", createdAt: "2026-11-20T12:00:00Z" }]);
  assert.deepEqual([seqs(), room.lastSeq], [[48, 49, 50, 51, 52], 101]);
  room.showEnd();
  assert.deepEqual([seqs(), room.isAtEnd, room.size], [[98, 99, 100, 101, undefined], true, 4]);
});

test("an old stretch is asked on in both directions, and is the end where it reaches it", () => {
  joinLong();
  goTo(93);
  room.historyCame(room.nextHistory(), { messages: [message(90)], more: true });
  const asked = room.nextLater();
  assert.deepEqual(asked, { room: "lobby", after: 95 });
  assert.equal(room.nextHistory(), null);
  room.historyCame(asked, { messages: [message(96), message(97)], more: true });
  assert.equal(room.isAtEnd, false);
  room.historyCame(room.nextLater(), { messages: [message(98), message(99)], more: true });
  assert.deepEqual([room.isAtEnd, room.nextLater(), seqs()], [true, null, [90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100]]);
  assert.deepEqual(room.nextHistory(), { room: "lobby", before: 90 });
});

test("what changes in an old stretch changes there", () => {
  joinLong();
  goTo(50);
  room.receive(message(50, { version: 101, text: "edited" }));
  room.receive(message(70, { version: 102, text: "edited too" }));
  room.receive(reaction(51, 103));
  assert.deepEqual(seqs(), [48, 49, 50, 51, 52]);
  assert.deepEqual([room.lineAt(50).text, room.lineAt(51).reactions], ["edited", { "👍": ["ada"] }]);
});

test("a message that is here is shown without a question, a stretch that was left is asked for again", () => {
  joinLong();
  goTo(50);
  assert.deepEqual([room.showAround(99), room.isAtEnd, room.showAround(50)], [true, true, false]);
});

test("who asks for another message is not shown the one before; a resync shows the end", () => {
  joinLong();
  const late = room.nextAround(20);
  goTo(50);
  room.historyCame(late, { messages: [message(20)], earlier: true, later: true });
  assert.deepEqual(seqs(), [48, 49, 50, 51, 52]);
  room.resync();
  join(100, [message(100)], { earlier: true });
  assert.deepEqual([seqs(), room.isAtEnd], [[100], true]);
});

test("lets go of what is far from what is read, on either side and at the end", () => {
  const all = Array.from({ length: 100 }, (_, place) => message(place + 1));
  join(100, all);
  room.keepNear(50, 20);
  assert.deepEqual([seqs()[0], seqs().at(-1), room.isAtEnd, room.hasEarlier, room.size], [30, 70, false, true, 46]);
  assert.deepEqual(room.nextLater(), { room: "lobby", after: 70 });
  room.showEnd();
  assert.deepEqual(seqs(), [96, 97, 98, 99, 100]);
});

test("counts what others said after a message, though not all of it is here", () => {
  join(100, [message(99, { author: "alice", ordinal: 79 }), message(100, { ordinal: 80 })], { earlier: true });
  assert.deepEqual([room.countAfter(80, "alice"), room.countAfter(70, "alice"), room.countAfter(79, "bob")], [0, 9, 0]);
});

test("lets go of the oldest, which can be asked for again", () => {
  join(
    5,
    [1, 2, 3, 4, 5].map((seq) => message(seq)),
  );
  room.keepLatest(2);
  assert.deepEqual([seqs(), room.hasEarlier, room.nextHistory()], [[4, 5], true, { room: "lobby", before: 4 }]);
  room.keepLatest(2);
  assert.deepEqual(seqs(), [4, 5]);
});

// Messages of our own

const MINE = { user: "alice", nonce: "mine", text: "hello", createdAt: "2026-11-20T12:00:00Z", status: "sending" };

test("what is pending comes last, with the nonce as its identity", () => {
  join(1, [message(1)]);
  room.setPending([MINE]);
  const [, pending] = room.lines();
  assert.deepEqual(
    [pending.author, pending.text, pending.status, pending.seq],
    ["alice", "hello", "sending", undefined],
  );
});

test("the pending line becomes the confirmed one: the same key, once", () => {
  join(1, [message(1)]);
  room.setPending([MINE]);
  const [, pending] = room.lines();
  room.receive(message(2, { author: "alice", nonce: "mine", text: "hello" }));
  const [, confirmed] = room.lines();
  assert.deepEqual([room.lines().length, confirmed.key, confirmed.status, confirmed.seq], [2, pending.key, "sent", 2]);
  assert.deepEqual(
    room.settled().map(({ nonce }) => nonce),
    ["mine"],
  );
});

test("the same nonce of somebody else is another message", () => {
  join(0, []);
  room.setPending([MINE]);
  room.receive(message(1, { author: "bob", nonce: "mine" }));
  assert.equal(room.lines().length, 2);
});

test("acknowledged it stays in sight until the room has come that far", () => {
  join(1, [message(1)]);
  room.setPending([{ ...MINE, status: "sent", seq: 3, version: 3 }]);
  assert.deepEqual([room.lines().length, room.settled().map(({ nonce }) => nonce)], [2, []]);
  room.receive(message(2));
  assert.equal(room.lines().length, 3);
  room.receive(message(3, { author: "alice", nonce: "mine", text: "hello" }));
  assert.deepEqual([room.lines().length, room.settled().map(({ nonce }) => nonce)], [3, ["mine"]]);
});

test("acknowledged long ago, and older than what is shown, it is settled", () => {
  join(9, [message(8), message(9)], { earlier: true });
  room.setPending([{ ...MINE, status: "sent", seq: 3, version: 3 }]);
  assert.deepEqual([seqs(), room.settled().map(({ nonce }) => nonce)], [[8, 9], ["mine"]]);
});

test("a message without a nonce is known by its place", () => {
  join(2, [message(1, { nonce: "" }), message(2, { nonce: "" })]);
  assert.deepEqual(new Set(room.lines().map(({ key }) => key)).size, 2);
});

function reaction(seq, version, { emoji = "👍", name = "ada", on = true } = {}) {
  return { type: "reaction", room: "lobby", seq, version, emoji, name, on };
}

test("a reaction changes its message and takes its number", () => {
  join(2, [message(1), message(2)]);
  assert.deepEqual(room.receive(reaction(1, 3)), []);
  assert.equal(room.version, 3);
  assert.deepEqual(room.lineAt(1).reactions, { "👍": ["ada"] });
  room.receive(reaction(1, 4, { name: "bob" }));
  room.receive(reaction(1, 5, { on: false }));
  assert.deepEqual(room.lineAt(1).reactions, { "👍": ["bob"] });
  room.receive(reaction(1, 6, { name: "bob", on: false }));
  assert.deepEqual(room.lineAt(1).reactions, {});
});

test("a reaction to a message that is not here waits for its page", () => {
  join(9, [message(9)], { earlier: true });
  room.receive(reaction(3, 10));
  const asked = room.nextHistory();
  room.historyCame(asked, { messages: [message(3)], more: false });
  assert.deepEqual(room.lineAt(3).reactions, { "👍": ["ada"] });
});

test("a reaction that the page knows already is not made again", () => {
  join(9, [message(9)], { earlier: true });
  room.receive(reaction(3, 10, { on: false }));
  const asked = room.nextHistory();
  room.historyCame(asked, { messages: [message(3, { version: 11, reactions: { "👍": ["ada"] } })], more: false });
  assert.deepEqual(room.lineAt(3).reactions, { "👍": ["ada"] });
});

test("an event that stands for several is no hole", () => {
  join(2, [message(1), message(2)]);
  room.receive({ ...message(1, { version: 6 }), from: 2 });
  assert.equal(room.version, 6);
  assert.ok(room.isLive);
});

test("an event that is complete only from further on is a hole", () => {
  join(2, [message(1), message(2)]);
  room.receive({ ...message(1, { version: 6 }), from: 4 });
  assert.equal(room.version, 2);
  assert.ok(room.wantsJoin);
});
