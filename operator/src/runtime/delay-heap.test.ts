/** Keys come when they are due, once each, and what is put off for months again and again takes no room. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createFakeClock } from "../../../test/testkit/fake-clock.ts";
import { DelayHeap } from "./delay-heap.ts";

const MONTHS_MS = 60 * 24 * 3_600_000;

function setUp() {
  const clock = createFakeClock();
  const due: string[] = [];
  return { clock, due, heap: new DelayHeap(clock, (key) => due.push(key)) };
}

test("a key that is put off and removed over and over leaves next to nothing", () => {
  const { clock, due, heap } = setUp();
  heap.add("other", MONTHS_MS);
  for (let round = 0; round < 10_000; round++) {
    heap.add("key", MONTHS_MS);
    heap.remove("key");
    clock.advance(1_000);
  }
  expect(heap.size).toBeLessThan(100);
  heap.add("key", 5);
  clock.advance(5);
  expect(due).toEqual(["key"]);
  clock.advance(MONTHS_MS);
  expect(due).toEqual(["key", "other"]);
  expect(clock.waiting).toBe(0);
});

test("so does a key whose time is moved forward over and over", () => {
  const { heap } = setUp();
  for (let round = 0; round < 10_000; round++) heap.add("key", MONTHS_MS - round);
  expect(heap.size).toBeLessThan(100);
});

const step = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), key: fc.nat(200).map(String), delayMs: fc.nat(50) }),
  fc.record({ kind: fc.constant("remove" as const), key: fc.nat(200).map(String) }),
  fc.record({ kind: fc.constant("tick" as const), ms: fc.nat(5) }),
);

/** What should come when, and whether it did. */
function setUpModel() {
  const { clock, due, heap } = setUp();
  const times = new Map<string, number>();
  const expected: string[] = [];
  return {
    waiting: times,
    add: (key: string, delayMs: number) => {
      heap.add(key, delayMs);
      times.set(key, Math.min(times.get(key) ?? Infinity, clock.monotonicMs() + delayMs));
    },
    remove: (key: string) => {
      heap.remove(key);
      times.delete(key);
    },
    tick: (ms: number) => {
      clock.advance(ms);
      const came = [...times].filter(([, dueMs]) => dueMs <= clock.monotonicMs()).map(([key]) => key);
      for (const key of came) times.delete(key);
      expected.push(...came);
      expect(due.toSorted()).toEqual(expected.toSorted());
    },
  };
}

test("whatever is added, moved and removed, each key comes once and at its time", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 600 }), (steps) => {
      const model = setUpModel();
      for (const each of steps) {
        if (each.kind === "add") model.add(each.key, each.delayMs);
        else if (each.kind === "remove") model.remove(each.key);
        else model.tick(each.ms);
      }
      model.tick(50);
      expect(model.waiting.size).toBe(0);
    }),
  );
});
