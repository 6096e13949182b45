import assert from "node:assert/strict";
import { test } from "node:test";
import { Times } from "../../../chat/static/chat/page/times.js";

const MOMENT = "2026-11-20T23:30:15.123Z";

test("a moment is told in the page's language and the reader's time zone", () => {
  const english = new Times({ language: "en-US", timeZone: "UTC" });
  assert.deepEqual(
    [english.time(MOMENT).replace(/\s/, " "), english.day(MOMENT)],
    ["11:30 PM", "Friday, November 20, 2026"],
  );
  const chinese = new Times({ language: "zh-hans", timeZone: "Asia/Shanghai" });
  assert.deepEqual([chinese.time(MOMENT), chinese.day(MOMENT)], ["7:30", "2026年11月21日星期六"]);
});

test("the whole moment says day and seconds", () => {
  assert.match(new Times({ language: "en-US", timeZone: "UTC" }).moment(MOMENT), /Friday, November 20, 2026.*11:30:15/);
});
