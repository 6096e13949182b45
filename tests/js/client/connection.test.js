import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Connection, SignedOut } from "../../../chat/static/chat/client/connection.js";
import { FakeClock, FakeNetwork, fakeWebSockets, settled } from "../fakes.js";

const MIDDLE = 0.5;
const FIRST_WAIT_MS = 750;

let clock;
let network;
let web;
let connection;
let states;
let given;

beforeEach(() => {
  clock = new FakeClock();
  network = new FakeNetwork();
  web = fakeWebSockets();
  given = { WebSocket: web.FakeWebSocket, url: "ws://chat.test/ws/", clock, network, random: () => MIDDLE };
  make();
});

function make(more = {}) {
  connection = new Connection({ ...given, ...more });
  states = [];
  connection.on("state", ({ name }) => states.push(name));
}

function connect() {
  connection.connect();
  web.latest().greets();
}

async function stayOnline(ms) {
  for (let passed = 0; passed < ms; passed += 1000) {
    await clock.pass(1000);
    web.latest().says({ type: "typing" });
  }
}

// From state to state

test("is closed until it is asked, and makes no socket", async () => {
  await clock.pass(60_000);
  assert.equal(connection.state.name, "closed");
  assert.equal(web.sockets.length, 0);
});

test("connects with the subprotocol, and is online with the greeting, not with the open socket", () => {
  connection.connect();
  web.latest().onopen?.({});
  assert.equal(connection.state.name, "connecting");
  web.latest().greets();
  assert.equal(connection.state.name, "online");
  assert.deepEqual(states, ["connecting", "online"]);
  assert.deepEqual([web.latest().url, web.latest().protocols], ["ws://chat.test/ws/", ["chat.v1"]]);
});

test("a state cannot be changed from outside", () => {
  connect();
  assert.throws(() => (connection.state.name = "closed"), TypeError);
});

test("asking twice never makes a second socket, whether connecting or online", () => {
  connection.connect();
  connection.connect();
  web.latest().greets();
  connection.connect();
  assert.equal(web.sockets.length, 1);
});

test("asking while it waits means now", () => {
  connect();
  web.latest().breaks();
  assert.equal(connection.state.name, "waiting");
  connection.connect();
  assert.equal(connection.state.name, "connecting");
  assert.equal(web.sockets.length, 2);
});

test("closed by hand it never comes back, whatever happens", async () => {
  connect();
  connection.disconnect();
  network.goesOffline();
  network.wakes();
  await clock.pass(600_000);
  assert.equal(connection.state.name, "closed");
  assert.equal(web.sockets.length, 1);
  assert.equal(web.latest().closedWith, 1000);
  assert.equal(clock.pending, 0);
});

test("closed by hand while connecting, while waiting, and again", async () => {
  connection.connect();
  connection.disconnect();
  connection.connect();
  web.latest().breaks();
  connection.disconnect();
  connection.disconnect();
  await clock.pass(600_000);
  assert.equal(web.sockets.length, 2);
  assert.deepEqual(states, ["connecting", "closed", "connecting", "waiting", "closed", "closed"]);
});

test("closed by hand it connects again when asked", () => {
  connect();
  connection.disconnect();
  connect();
  assert.equal(connection.state.name, "online");
});

test("closing from within the announcement of connecting leaves no socket behind", () => {
  connection.on("state", ({ name }) => name === "connecting" && connection.disconnect());
  connection.connect();
  assert.equal(web.sockets.length, 0);
  assert.equal(connection.state.name, "closed");
});

// Coming back

test("a broken line waits as long as the backoff says, and tells until when", async () => {
  connect();
  web.latest().breaks();
  assert.deepEqual(connection.state, { name: "waiting", code: 1006, until: clock.now() + FIRST_WAIT_MS });
  await clock.pass(FIRST_WAIT_MS - 1);
  assert.equal(web.sockets.length, 1);
  await clock.pass(1);
  assert.equal(web.sockets.length, 2);
  assert.equal(connection.state.name, "connecting");
});

test("the waits grow while the server is down, and it comes back after minutes", async () => {
  const waits = [];
  connection.on("state", ({ name, until }) => name === "waiting" && waits.push(until - clock.now()));
  connection.connect();
  for (let failure = 0; failure < 8; failure++) {
    web.latest().breaks();
    await clock.pass(waits.at(-1));
  }
  assert.deepEqual(waits, [750, 1000, 1500, 2500, 4500, 8500, 16_500, 20_000]);
  web.latest().greets();
  assert.equal(connection.state.name, "online");
});

test("a short time online does not forget the failures", async () => {
  connection.connect();
  web.latest().breaks();
  await clock.pass(FIRST_WAIT_MS);
  web.latest().greets();
  await stayOnline(9_000);
  web.latest().breaks();
  assert.equal(connection.state.until - clock.now(), 1000);
});

test("a real time online forgets the failures", async () => {
  connection.connect();
  web.latest().breaks();
  await clock.pass(FIRST_WAIT_MS);
  web.latest().greets();
  await stayOnline(10_000);
  web.latest().breaks();
  assert.equal(connection.state.until - clock.now(), FIRST_WAIT_MS);
});

test("a server that takes the connection and never greets is given up", async () => {
  connection.connect();
  await clock.pass(10_000);
  assert.equal(connection.state.name, "waiting");
  assert.notEqual(web.sockets[0].closedWith, null);
});

test("a socket that cannot even be made is a failure like another", async () => {
  let attempts = 0;
  class Impossible {
    constructor() {
      attempts += 1;
      throw new SyntaxError("no such address");
    }
  }
  make({ WebSocket: Impossible });
  connection.connect();
  assert.equal(connection.state.name, "waiting");
  await clock.pass(FIRST_WAIT_MS);
  assert.equal(attempts, 2);
});

for (const [code, state] of [
  [4001, "signed-out"],
  [4002, "refused"],
  [4003, "refused"],
  [4005, "replaced"],
  [4042, "refused"],
]) {
  test(`after ${code} it is ${state} and stays away`, async () => {
    connect();
    web.latest().breaks(code);
    network.wakes();
    await clock.pass(600_000);
    assert.deepEqual(connection.state, { name: state, code, reason: undefined });
    assert.equal(web.sockets.length, 1);
    assert.equal(clock.pending, 0);
  });
}

test("replaced, it can be taken back by hand", () => {
  connect();
  web.latest().breaks(4005);
  connect();
  assert.equal(connection.state.name, "online");
});

for (const code of [1000, 1001, 1006, 1011, 4100, 4101, 4104, 4199]) {
  test(`after ${code} it comes back with backoff`, async () => {
    connect();
    web.latest().breaks(code);
    assert.deepEqual(connection.state, { name: "waiting", code, until: clock.now() + FIRST_WAIT_MS });
    await clock.pass(FIRST_WAIT_MS);
    assert.equal(web.sockets.length, 2);
  });
}

test("after a goodbye it comes back when it was told", async () => {
  connect();
  web.latest().says({ type: "bye", code: 4200, reason: "restarting", retry_after: 1.7 });
  web.latest().breaks(4200);
  assert.equal(connection.state.until - clock.now(), 1700);
  await clock.pass(1700);
  assert.equal(web.sockets.length, 2);
});

test("the goodbye counts, also when the line then just breaks", () => {
  connect();
  web.latest().says({ type: "bye", code: 4001, reason: "signed out" });
  web.latest().breaks(1006);
  assert.deepEqual(connection.state, { name: "signed-out", code: 4001, reason: "signed out" });
});

test("the goodbye of one connection does not count for the next", async () => {
  connect();
  web.latest().says({ type: "bye", code: 4200, retry_after: 5 });
  web.latest().breaks(4200);
  await clock.pass(5000);
  web.latest().greets();
  web.latest().breaks(1006);
  assert.equal(connection.state.until - clock.now(), FIRST_WAIT_MS);
});

test("after 4200 without a word when, it comes back with backoff", () => {
  connect();
  web.latest().breaks(4200);
  assert.equal(connection.state.until - clock.now(), FIRST_WAIT_MS);
});

// Proving who we are

async function authenticateAgain() {
  connect();
  web.latest().says({ type: "bye", code: 4201, reason: "authenticate again", retry_after: 0 });
  web.latest().breaks(4201);
  await clock.pass(0);
}

test("after 4201 it comes back with a new ticket, and the next time without", async () => {
  make({ authenticate: async () => ["ticket.abc"] });
  await authenticateAgain();
  assert.deepEqual(web.latest().protocols, ["chat.v1", "ticket.abc"]);
  web.latest().greets();
  web.latest().breaks();
  await clock.pass(FIRST_WAIT_MS);
  assert.deepEqual(web.latest().protocols, ["chat.v1"]);
});

test("after 4201 it is signed out when there is nobody to be", async () => {
  make({
    authenticate: async () => {
      throw new SignedOut();
    },
  });
  await authenticateAgain();
  assert.equal(connection.state.name, "signed-out");
  assert.equal(web.sockets.length, 1);
});

test("after 4201 it tries for a ticket again while the site does not answer", async () => {
  let attempts = 0;
  make({
    authenticate: async () => {
      attempts += 1;
      if (attempts < 3) throw new Error("no answer");
      return ["ticket.abc"];
    },
  });
  await authenticateAgain();
  assert.equal(connection.state.name, "waiting");
  await clock.pass(FIRST_WAIT_MS + 1000);
  assert.equal(attempts, 3);
  assert.deepEqual(web.latest().protocols, ["chat.v1", "ticket.abc"]);
});

test("a ticket that comes after it was closed by hand opens nothing", async () => {
  let give;
  make({ authenticate: () => new Promise((resolve) => (give = resolve)) });
  await authenticateAgain();
  connection.disconnect();
  give(["ticket.abc"]);
  await settled();
  assert.equal(web.sockets.length, 1);
  assert.equal(connection.state.name, "closed");
});

// Sockets that were given up

test("late events of an abandoned socket are not heard", async () => {
  const frames = [];
  connection.on("frame", (frame) => frames.push(frame.type));
  connection.connect();
  await clock.pass(10_000 + FIRST_WAIT_MS);
  const [old, current] = web.sockets;
  current.greets();
  old.greets();
  old.says({ type: "bye", code: 4001 });
  old.onerror?.({});
  old.breaks(4005);
  assert.equal(connection.state.name, "online");
  assert.deepEqual(frames, ["hello"]);
});

test("nothing of a frame is heard after a listener closed the line in the middle of it", () => {
  const frames = [];
  connection.on("frame", (frame) => {
    frames.push(frame.type);
    if (frame.type === "typing") connection.disconnect();
  });
  connect();
  web.latest().says({ type: "message" }, { type: "typing" }, { type: "message" });
  assert.deepEqual(frames, ["hello", "message", "typing"]);
});

test("on a dead network it does not wait for the socket to close", async () => {
  connect();
  await clock.pass(15_000);
  assert.equal(connection.state.name, "waiting");
  assert.equal(web.sockets[0].closedWith, 4103);
  await clock.pass(FIRST_WAIT_MS);
  web.latest().greets();
  web.sockets[0].breaks(1006);
  assert.equal(connection.state.name, "online");
});

// Waking

test("waking while it waits means now", async () => {
  connect();
  web.latest().breaks();
  network.wakes();
  assert.equal(web.sockets.length, 2);
});

test("waking after an hour asleep it calls at once", () => {
  connect();
  clock.sleep(3_600_000);
  network.wakes();
  assert.equal(connection.state.name, "connecting");
  assert.equal(web.sockets.length, 2);
});

test("waking online it asks at once whether the line is alive", () => {
  connect();
  network.wakes();
  assert.equal(web.latest().framesOf("heartbeat").length, 1);
});

test("waking while a call hangs it calls again, but leaves a young call alone", async () => {
  connection.connect();
  await clock.pass(1999);
  network.wakes();
  assert.equal(web.sockets.length, 1);
  await clock.pass(1);
  network.wakes();
  assert.equal(web.sockets.length, 2);
  assert.notEqual(web.sockets[0].closedWith, null);
});

test("without a network it says offline, tries all the same, and comes back with it", async () => {
  connect();
  network.online = false;
  web.latest().breaks();
  assert.equal(connection.state.name, "offline");
  await clock.pass(FIRST_WAIT_MS);
  assert.equal(web.sockets.length, 2);
  web.latest().breaks();
  network.wakes();
  web.latest().greets();
  assert.equal(connection.state.name, "online");
});

test("when the network goes while it waits, the words change and the moment stays", () => {
  connect();
  web.latest().breaks();
  const { until } = connection.state;
  network.goesOffline();
  assert.deepEqual(connection.state, { name: "offline", code: 1006, until });
});

test("when the browser says offline the line is asked, not given up", async () => {
  connect();
  network.goesOffline();
  assert.equal(connection.state.name, "online");
  web.latest().says({ type: "heartbeat", sent: web.latest().framesOf("heartbeat")[0].sent });
  await clock.pass(5000);
  assert.equal(connection.state.name, "online");
});

test("when the browser says offline and the line is silent it is given up within the timeout", async () => {
  connect();
  network.goesOffline();
  await clock.pass(5000);
  assert.equal(connection.state.name, "offline");
});

// Frames

test("heartbeats say where the rooms stand, at the server's interval", async () => {
  make({ positions: () => ({ lobby: 12 }) });
  connection.connect();
  web.latest().greets({ heartbeat: { interval: 3, timeout: 2 } });
  await clock.pass(3000);
  assert.deepEqual(web.latest().framesOf("heartbeat"), [{ type: "heartbeat", at: { lobby: 12 }, sent: clock.now() }]);
  await clock.pass(2000);
  assert.equal(connection.state.name, "waiting");
});

test("several lines of a frame are heard one by one, in order", () => {
  const heard = [];
  connection.on("frame", ({ type, seq }) => heard.push([type, seq]));
  connect();
  web.latest().says({ type: "message", seq: 1 }, { type: "ack", seq: 2 }, { type: "message", seq: 3 });
  assert.deepEqual(heard.slice(1), [
    ["message", 1],
    ["ack", 2],
    ["message", 3],
  ]);
});

test("bytes are announced as bytes", () => {
  const heard = [];
  connection.on("bytes", (bytes) => heard.push(bytes));
  connect();
  const bytes = new ArrayBuffer(4);
  web.latest().saysRaw(bytes);
  assert.deepEqual(heard, [bytes]);
  assert.equal(web.latest().binaryType, "arraybuffer");
});

test("without a line nothing is sent, and says so", async () => {
  assert.equal(connection.send({ type: "typing" }), false);
  connection.connect();
  assert.equal(connection.send({ type: "typing" }), false);
  await assert.rejects(connection.request({ type: "join" }), { code: "disconnected" });
  web.latest().greets();
  assert.equal(connection.send({ type: "typing" }), true);
  assert.equal(web.latest().sent.length, 1);
});

test("more is sent only when the browser has sent what it holds", async () => {
  connect();
  web.latest().bufferedAmount = 70_000;
  connection.send({ type: "typing" });
  assert.equal(web.latest().framesOf("typing").length, 0);
  web.latest().bufferedAmount = 0;
  await clock.pass(50);
  assert.equal(web.latest().framesOf("typing").length, 1);
});

test("a request under way fails when the line breaks, with the code it broke with", async () => {
  connect();
  const failure = assert.rejects(connection.request({ type: "post" }), { code: "disconnected", closeCode: 1009 });
  web.latest().breaks(1009);
  await failure;
});

test("a request is answered by the frame with its id", async () => {
  connect();
  const asked = connection.request({ type: "join", room: "lobby" });
  await settled();
  const { id } = web.latest().framesOf("join")[0];
  web.latest().says({ type: "joined", id: "other" }, { type: "joined", id, room: "lobby" });
  assert.equal((await asked).room, "lobby");
});
