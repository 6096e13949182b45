import assert from "node:assert/strict";
import { test } from "node:test";
import { afterClose } from "../../../chat/static/chat/client/constants.js";

const STAYS_AWAY = {
  4000: "refused",
  4001: "signed-out",
  4002: "refused",
  4003: "refused",
  4004: "refused",
  4005: "replaced",
  4006: "refused",
  4050: "refused",
  4099: "refused",
};

test("4000 to 4099 stays away, in the state that says why", () => {
  for (const [code, state] of Object.entries(STAYS_AWAY)) {
    assert.deepEqual(afterClose(Number(code)), { comesBack: false, state });
  }
});

test("4100 to 4199 comes back with backoff, codes not known yet too", () => {
  for (const code of [4100, 4101, 4102, 4103, 4104, 4150, 4199]) {
    assert.deepEqual(afterClose(code), { comesBack: true, whenTold: false, authenticates: false });
  }
});

test("4200 to 4299 comes back when told, and 4201 proves itself first", () => {
  for (const code of [4200, 4250, 4299]) {
    assert.deepEqual(afterClose(code), { comesBack: true, whenTold: true, authenticates: false });
  }
  assert.deepEqual(afterClose(4201), { comesBack: true, whenTold: true, authenticates: true });
});

test("any other code comes back with backoff", () => {
  for (const code of [1000, 1001, 1005, 1006, 1009, 1011, 1012, 1013, 1015, 3000, 3999, 4300, 4999]) {
    assert.deepEqual(afterClose(code), { comesBack: true, whenTold: false, authenticates: false });
  }
});
