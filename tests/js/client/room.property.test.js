import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Room } from "../../../chat/static/chat/client/room.js";
import { World } from "../room_world.js";

const SEEDS = Number(process.env.ROOM_SEEDS ?? 600);
const CLIENT = new URL("../../../chat/static/chat/client/", import.meta.url);
const MODULES = ["room.js", "lines.js", "stretches.js", "pending.js", "constants.js"];

test(`any interleaving of events, pages, repeats and losses ends in the same timeline (${SEEDS} histories)`, () => {
  assert.equal(firstFailure(Room), null);
});

/** What a mistake in the room would look like; each must be found by some history, or the check above proves nothing. */
const MISTAKES = {
  "a hole is stepped over": [
    "(event.from ?? version - 1) > this.#version",
    "false",
  ],
  "a reaction is not followed": ["this.#lines.react(reaction);", ""],
  "an older state replaces a newer one": ["known && known.version >= message.version", "false"],
  "a page that does not connect is believed": ["page.after <= this.#version", "true"],
  "a page without the latest messages is taken for them": ["page.after === undefined;", "true;"],
  "the position goes back": ["Math.max(this.#version ?? 0, head)", "head"],
  "the first of several pages is taken for the last": ["isConnected && !page.more", "isConnected"],
  "a cut is not noticed": ["disconnected() {\n    this.#held.clear();", "disconnected() {\n    return;"],
  "the answer to an old question is believed": ["if (asked !== this.#asked) return false;", ""],
  "an older page does not move the beginning": [
    "this.shown.from = Math.min(this.shown.from, ...messages.map(({ seq }) => seq));",
    "",
  ],
  "an old stretch is taken for the end": ["this.#old.to < this.#end.from", "false"],
  "an old stretch that reached the end stays apart": ["this.#old.to < this.#end.from", "true"],
  "a newer page does not move the lower edge": ["this.#old.to = messages.at(-1)?.seq ?? this.#end.from;", ""],
  "the end is let go with what is far away": ["return isIn(this.#end, seq) ||", "return"],
  "an answer from before something was let go is believed": ["#letGo() {\n    this.#asked = null;", "#letGo() {"],
  "messages stand in the order they came": ["findLastIndex((other) => other < seq) + 1", "length"],
};

for (const [mistake, changes] of Object.entries(MISTAKES)) {
  test(`the check finds it when ${mistake}`, async () => {
    assert.notEqual(firstFailure(await roomWith(changes)), null);
  });
}

/** The first seed whose history goes wrong, and how; null when all go well. */
function firstFailure(SomeRoom) {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      new World({ Room: SomeRoom, seed }).run();
    } catch (error) {
      return `seed ${seed}: ${error.message}`;
    }
  }
  return null;
}

/** The room with pieces of its source changed. */
async function roomWith(changes) {
  const folder = await mkdtemp(join(tmpdir(), "room-"));
  after(() => rm(folder, { recursive: true }));
  const sources = await Promise.all(MODULES.map((name) => readFile(new URL(name, CLIENT), "utf8")));
  for (let place = 0; place < changes.length; place += 2) {
    assert.ok(
      sources.some((source) => source.includes(changes[place])),
      `no module says ${changes[place]}`,
    );
  }
  await Promise.all(MODULES.map((name, place) => writeFile(join(folder, name), changed(sources[place], changes))));
  return (await import(pathToFileURL(join(folder, "room.js")))).Room;
}

function changed(source, changes) {
  for (let place = 0; place < changes.length; place += 2) {
    source = source.replace(changes[place], () => changes[place + 1]);
  }
  return source;
}
