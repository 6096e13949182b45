import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Bus } from "../../../chat/static/chat/client/bus.js";
import { Jumps } from "../../../chat/static/chat/room/jumps.js";
import { Permalinks } from "../../../chat/static/chat/room/permalinks.js";
import { FakeClock, settled } from "../fakes.js";

const ORIGIN = "https://chat.test";

let clock;
let bus;
let answer;
let page;

beforeEach(() => {
  clock = new FakeClock();
  bus = new Bus();
  answer = async () => true;
});

/** The page of a room of which nothing is here; what it was asked to show is in `seen`. */
function open(path, { state = null, isLive = true } = {}) {
  const seen = [];
  const said = [];
  const elements = {};
  const element = () => Object.assign(new EventTarget(), { hidden: true });
  const document = { getElementById: (id) => (elements[id] ??= element()) };
  const window = Object.assign(new EventTarget(), { document, location: new URL(path, ORIGIN), history: browserHistory(state) });
  const room = { slug: "lobby", isLive, isAtEnd: true, isKnown: true, showAround: () => false };
  const chat = { on: (...args) => bus.on(...args), showAround: (slug, seq) => answer(seq) };
  const view = {
    hold: () => seen.push("held"),
    release: () => seen.push("released"),
    toEnd: () => seen.push("end"),
    showPlace: (place) => seen.push(place),
    place: () => ({ seq: 7, topPx: 40 }),
  };
  window.history.moved = (address) => (window.location = new URL(address, window.location));
  const links = new Permalinks({ room: "/rooms/lobby/", origin: ORIGIN });
  const jumps = new Jumps({ window, chat, room, view, links, clock, announcer: { say: (words) => said.push(words) } });
  jumps.begin();
  return { jumps, room, seen, said, elements, window, history: window.history };
}

function browserHistory(state) {
  const entries = [state];
  const put = (place, next, address) => {
    entries.splice(place, 1, next);
    if (address) kept.moved(address);
  };
  const kept = {
    entries,
    get state() {
      return entries.at(-1);
    },
    replaceState: (next, _, address) => put(entries.length - 1, next, address),
    pushState: (next, _, address) => put(entries.length, next, address),
  };
  return kept;
}

function goesBack(state) {
  page.window.dispatchEvent(Object.assign(new Event("popstate"), { state }));
}

test("the address of the room shows its end, which needs no waiting", async () => {
  page = open("/rooms/lobby/");
  await settled();
  assert.deepEqual([page.seen, page.history.state], [[], { place: {} }]);
});

test("the address of a message shows it as soon as the room is there", async () => {
  page = open("/rooms/lobby/12/", { isLive: false });
  await settled();
  assert.deepEqual(page.seen, ["held"]);
  page.room.isLive = true;
  bus.emit("room", page.room);
  await settled();
  assert.deepEqual(page.seen, ["held", { seq: 12 }]);
});

test("a page that is loaded again is where it was", async () => {
  page = open("/rooms/lobby/12/", { state: { place: { seq: 9, topPx: 3 } } });
  await settled();
  assert.deepEqual(page.seen, ["held", { seq: 9, topPx: 3 }]);
});

test("a jump is an entry of its own, and the one that is left knows its place", async () => {
  page = open("/rooms/lobby/");
  page.jumps.toMessage(12);
  await settled();
  assert.deepEqual(page.history.entries, [{ place: { seq: 7, topPx: 40 } }, { place: { seq: 12 } }]);
  assert.equal(page.window.location.pathname, "/rooms/lobby/12/");
  page.jumps.toEnd();
  assert.deepEqual([page.window.location.pathname, page.seen.at(-1)], ["/rooms/lobby/", "end"]);
  page.jumps.toEnd();
  assert.equal(page.history.entries.length, 3);
});

test("going back shows the place that was left; a fragment of the page moves nothing", async () => {
  page = open("/rooms/lobby/");
  goesBack({ place: { seq: 5, topPx: 9 } });
  await settled();
  goesBack(null);
  await settled();
  assert.deepEqual([page.seen, page.history.state], [[{ seq: 5, topPx: 9 }], { place: { seq: 7, topPx: 40 } }]);
});

for (const code of ["not_found", "forbidden", "bad_frame"]) {
  test(`a message that cannot be had (${code}) is a sentence at the end of the room`, async () => {
    answer = () => Promise.reject(Object.assign(new Error(code), { code }));
    page = open("/rooms/lobby/12/");
    await settled();
    assert.deepEqual([page.seen, page.window.location.pathname], [["held", "end"], "/rooms/lobby/"]);
    assert.equal(page.elements["not-found"].hidden, false);
    assert.equal(page.said.length, 1);
    page.jumps.toEnd();
    assert.equal(page.elements["not-found"].hidden, true);
  });
}

test("what does not come is asked for again, not sooner than the server says, whatever happens meanwhile", async () => {
  let asked = 0;
  answer = () => (asked++ ? Promise.resolve(true) : Promise.reject({ code: "rate_limited", retryAfterMs: 2000 }));
  page = open("/rooms/lobby/12/");
  await settled();
  bus.emit("room", page.room);
  await settled();
  assert.deepEqual([asked, page.seen], [1, ["held", "released"]]);
  await clock.pass(2000);
  await settled();
  assert.deepEqual([asked, page.seen.at(-1)], [2, { seq: 12 }]);
});

test("who goes elsewhere meanwhile is not brought to what was asked before", async () => {
  const answers = new Map();
  answer = (seq) => new Promise((resolve) => answers.set(seq, resolve));
  page = open("/rooms/lobby/12/");
  page.jumps.toMessage(20);
  answers.get(12)(true);
  await settled();
  assert.deepEqual(page.seen, ["held"]);
  answers.get(20)(true);
  await settled();
  assert.deepEqual(page.seen, ["held", { seq: 20 }]);
});

test("the place is kept a moment after one scrolled, and not while another is on its way", async () => {
  page = open("/rooms/lobby/");
  page.elements.messages.dispatchEvent(new Event("scroll"));
  await clock.pass(500);
  assert.deepEqual(page.history.state, { place: { seq: 7, topPx: 40 } });
  answer = () => new Promise(() => {});
  goesBack({ place: { seq: 5, topPx: 9 } });
  page.history.replaceState({ place: { seq: 5, topPx: 9 } });
  page.elements.messages.dispatchEvent(new Event("scroll"));
  await clock.pass(500);
  assert.deepEqual(page.history.state, { place: { seq: 5, topPx: 9 } });
});
