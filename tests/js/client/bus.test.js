import assert from "node:assert/strict";
import { test } from "node:test";
import { Bus } from "../../../chat/static/chat/client/bus.js";

test("everybody who listens to a name hears it, in order", () => {
  const bus = new Bus();
  const heard = [];
  bus.on("state", (state) => heard.push(["first", state]));
  bus.on("state", (state) => heard.push(["second", state]));
  bus.on("frame", (frame) => heard.push(["other", frame]));
  bus.emit("state", 1);
  assert.deepEqual(heard, [
    ["first", 1],
    ["second", 1],
  ]);
});

test("who stops listening hears nothing more, even when it stops while being told", () => {
  const bus = new Bus();
  const heard = [];
  const stop = bus.on("state", (state) => {
    heard.push(state);
    stop();
  });
  bus.on("state", (state) => heard.push(-state));
  bus.emit("state", 1);
  bus.emit("state", 2);
  assert.deepEqual(heard, [1, -1, -2]);
});

test("a listener that throws is reported, and the others still hear", (t) => {
  const bus = new Bus();
  const heard = [];
  const reports = [];
  t.mock.method(globalThis, "queueMicrotask", (report) => reports.push(report));
  bus.on("state", () => {
    throw new Error("broken listener");
  });
  bus.on("state", (state) => heard.push(state));
  bus.emit("state", 1);
  assert.deepEqual(heard, [1]);
  assert.throws(reports[0], /broken listener/);
});

test("a name nobody listens to is no trouble", () => {
  assert.doesNotThrow(() => new Bus().emit("state", 1));
});
