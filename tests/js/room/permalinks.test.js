import assert from "node:assert/strict";
import { test } from "node:test";
import { Permalinks } from "../../../chat/static/chat/room/permalinks.js";

const links = new Permalinks({ room: "/rooms/lobby/", origin: "https://chat.test" });

test("a message has an address in its room", () => {
  assert.deepEqual([links.to(12), links.absolute(12)], ["/rooms/lobby/12/", "https://chat.test/rooms/lobby/12/"]);
});

for (const [address, seq] of [
  ["https://chat.test/rooms/lobby/12/", 12],
  ["https://chat.test/rooms/lobby/12", 12],
  ["https://chat.test/rooms/lobby/12/?x=1#y", 12],
  ["/rooms/lobby/7/", 7],
  ["https://chat.test/rooms/lobby/", null],
  ["https://chat.test/rooms/lobby/12/more/", null],
  ["https://chat.test/rooms/lobby/-1/", null],
  ["https://chat.test/rooms/lobby/1e3/", null],
  ["https://chat.test/rooms/lobby/twelve/", null],
  ["https://chat.test/rooms/attic/12/", null],
  ["https://elsewhere.test/rooms/lobby/12/", null],
  ["http://chat.test/rooms/lobby/12/", null],
]) {
  test(`the message of ${address}`, () => assert.equal(links.seqOf(address), seq));
}
