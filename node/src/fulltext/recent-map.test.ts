import { expect, test } from "vitest";
import { ownCopy, RecentMap } from "./recent-map.ts";

test("never holds more than its capacity, and keeps what is asked for", () => {
  const map = new RecentMap<number>(8);
  map.set("common", 1);
  for (let turn = 0; turn < 100; turn += 1) {
    map.set(`rare ${turn}`, turn);
    expect(map.get("common")).toBe(1);
    expect(map.size).toBeLessThanOrEqual(8);
  }
  expect(map.get("rare 99")).toBe(99);
  expect(map.get("rare 0")).toBeUndefined();
  map.clear();
  expect(map.get("common")).toBeUndefined();
});

test("copies any text as it is", () => {
  for (const text of ["", "word", "größe", "字符", "\ud800 alone", "🜨"]) expect(ownCopy(text)).toBe(text);
});
