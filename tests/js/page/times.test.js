import assert from "node:assert/strict";
import { test } from "node:test";
import { Times } from "../../../chat/static/chat/page/times.js";

const MOMENT = "2026-11-20T23:30:15.123Z";

function times({ language = "en-US", timeZone = "UTC", now = "2026-12-24T12:00:00Z" }) {
  return new Times({ language, timeZone, clock: { now: () => Date.parse(now) } });
}

test("a moment is told in the page's language and the reader's time zone", () => {
  const english = times({});
  assert.deepEqual(
    [english.time(MOMENT).replace(/\s/, " "), english.day(MOMENT)],
    ["11:30 PM", "Friday, November 20, 2026"],
  );
  const chinese = times({ language: "zh-hans", timeZone: "Asia/Shanghai" });
  assert.deepEqual([chinese.time(MOMENT), chinese.day(MOMENT)], ["07:30", "2026年11月21日星期六"]);
});

test("where a day has 24 hours they have two digits", () => {
  assert.deepEqual([times({ language: "de-DE" }), times({ language: "en-GB" })].map((each) => each.time("2026-11-20T00:51:00Z")), [
    "00:51",
    "00:51",
  ]);
});

test("the days that one remembers have their own words, by the reader's calendar", () => {
  const days = (now, timeZone) => times({ now, timeZone }).day(MOMENT);
  assert.equal(days("2026-11-20T23:59:00Z", "UTC"), "Today");
  assert.equal(days("2026-11-21T00:01:00Z", "UTC"), "Yesterday");
  assert.equal(days("2026-11-21T15:00:00Z", "Asia/Shanghai"), "Today");
  assert.equal(days("2026-11-22T00:01:00Z", "UTC"), "Friday, November 20, 2026");
});

test("the whole moment says day and seconds", () => {
  assert.match(times({}).moment(MOMENT), /Friday, November 20, 2026.*11:30:15/);
});
