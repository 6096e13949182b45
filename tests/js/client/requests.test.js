import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Requests } from "../../../chat/static/chat/client/requests.js";
import { FakeClock } from "../fakes.js";

let clock;
let requests;
let sent;

beforeEach(() => {
  clock = new FakeClock();
  requests = new Requests({ clock });
  sent = [];
});

function ask(frame) {
  return requests.open(frame, (numbered) => sent.push(numbered), 10_000);
}

test("each request has an id of its own, and gets the answer with that id", async () => {
  const first = ask({ type: "join", room: "lobby" });
  const second = ask({ type: "join", room: "attic" });
  assert.notEqual(sent[0].id, sent[1].id);
  requests.settle({ type: "joined", id: sent[1].id, room: "attic" });
  requests.settle({ type: "joined", id: sent[0].id, room: "lobby" });
  assert.deepEqual([(await first).room, (await second).room], ["lobby", "attic"]);
});

test("an error is a rejection with its code, its words, and when to come back in milliseconds", async () => {
  const asked = ask({ type: "post" });
  requests.settle({ type: "error", id: sent[0].id, code: "rate_limited", message: "Slowly.", retry_after: 1.5 });
  await assert.rejects(asked, { code: "rate_limited", message: "Slowly.", retryAfterMs: 1500 });
});

test("no answer is a timeout, and an answer after that is nobody's", async () => {
  const asked = ask({ type: "post" });
  const failure = assert.rejects(asked, { code: "timeout" });
  await clock.pass(10_000);
  await failure;
  assert.doesNotThrow(() => requests.settle({ type: "ack", id: sent[0].id }));
});

test("an answered request leaves no timer", async () => {
  const asked = ask({ type: "post" });
  requests.settle({ type: "ack", id: sent[0].id });
  await asked;
  assert.equal(clock.pending, 0);
});

for (const code of ["bad_json", "too_long"]) {
  test(`${code} without an id: what could not be read is the only request that waits`, async () => {
    const asked = ask({ type: "post" });
    requests.settle({ type: "error", code, message: "What?" });
    await assert.rejects(asked, { code, message: "What?" });
  });

  test(`${code} without an id fails nobody where it could be one of two`, async () => {
    const asked = [ask({ type: "join" }), ask({ type: "post" })];
    requests.settle({ type: "error", code, message: "What?" });
    for (const { id } of [...sent]) requests.settle({ type: "answer", id });
    assert.deepEqual((await Promise.all(asked)).map(({ type }) => type), ["answer", "answer"]);
  });
}

test("another error without an id is no answer, and neither is an event", async () => {
  const asked = ask({ type: "post" });
  requests.settle({ type: "error", code: "not_found", room: "attic", message: "No." });
  requests.settle({ type: "message", room: "lobby" });
  requests.settle({ type: "ack", id: sent[0].id });
  assert.equal((await asked).type, "ack");
});

test("when the line is cut every request fails, and says with which code", async () => {
  const failures = [ask({ type: "post" }), ask({ type: "join" })].map((asked) =>
    assert.rejects(asked, { code: "disconnected", closeCode: 1009 }),
  );
  requests.failAll({ code: "disconnected", closeCode: 1009 });
  await Promise.all(failures);
  assert.equal(clock.pending, 0);
});
