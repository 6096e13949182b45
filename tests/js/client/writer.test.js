import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Writer } from "../../../chat/static/chat/client/writer.js";
import { FakeClock } from "../fakes.js";

const FULL_BYTES = 65_536;

let clock;
let socket;
let writer;

beforeEach(() => {
  clock = new FakeClock();
  socket = { bufferedAmount: 0, sent: [], send: (data) => socket.sent.push(data) };
  writer = new Writer({ clock });
  writer.attach(socket);
});

test("what is written is sent at once while the browser holds little", () => {
  writer.write("a");
  socket.bufferedAmount = FULL_BYTES - 1;
  writer.write("b");
  assert.deepEqual(socket.sent, ["a", "b"]);
  assert.equal(clock.pending, 0);
});

test("nothing more is sent while the browser holds too much, and the order stays", async () => {
  socket.bufferedAmount = FULL_BYTES;
  writer.write("a");
  writer.write("b");
  await clock.pass(1000);
  assert.deepEqual(socket.sent, []);
  socket.bufferedAmount = 0;
  await clock.pass(50);
  assert.deepEqual(socket.sent, ["a", "b"]);
});

test("each frame is looked at by itself: one that fills the buffer stops the next", async () => {
  socket.send = (data) => {
    socket.sent.push(data);
    socket.bufferedAmount = FULL_BYTES;
  };
  writer.write("a");
  writer.write("b");
  assert.deepEqual(socket.sent, ["a"]);
});

test("what was not sent goes with its socket", async () => {
  socket.bufferedAmount = FULL_BYTES;
  writer.write("a");
  writer.detach();
  const next = { bufferedAmount: 0, sent: [], send: (data) => next.sent.push(data) };
  writer.attach(next);
  writer.write("b");
  await clock.pass(1000);
  assert.deepEqual([socket.sent, next.sent], [[], ["b"]]);
});
