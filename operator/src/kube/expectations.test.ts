/** What a lagging cache shows counts as evidence again as soon as it moved, in whatever direction. */
import { expect, test } from "vitest";
import { createFakeClock } from "../../../test/testkit/fake-clock.ts";
import { Expectations } from "./expectations.ts";

function setUp() {
  const clock = createFakeClock();
  return { clock, expectations: new Expectations(clock) };
}

test("a cache that still shows what it showed before our write is stale, and believed once it moves", () => {
  const { expectations } = setUp();
  expect(expectations.isStale("a", "1")).toBe(false);
  expectations.wrote("a", "1", "2");
  expect(expectations.isStale("a", "1")).toBe(true);
  expect(expectations.isStale("b", "1")).toBe(false);
  expect(expectations.isStale("a", "2")).toBe(false);
  expect(expectations.isStale("a", "1")).toBe(false);
});

test("a later version that hides ours ends the wait as well", () => {
  const { expectations } = setUp();
  expectations.wrote("a", "1", "2");
  expect(expectations.isStale("a", "3")).toBe(false);
});

test("missing is stale after a create", () => {
  const { expectations } = setUp();
  expectations.wrote("a", undefined, "1");
  expect(expectations.isStale("a", undefined)).toBe(true);
});

test("a write that changed nothing leaves nothing to wait for", () => {
  const { expectations } = setUp();
  expectations.wrote("a", "1", "1");
  expect(expectations.isStale("a", "1")).toBe(false);
});

test("a cache that does not move in five minutes is believed", () => {
  const { clock, expectations } = setUp();
  expectations.wrote("a", "1", "2");
  clock.advance(5 * 60_000 - 1);
  expect(expectations.isStale("a", "1")).toBe(true);
  clock.advance(1);
  expect(expectations.isStale("a", "1")).toBe(false);
});
