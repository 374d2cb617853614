/** Everybody gets one turn per period, evenly spread, and the same one after a restart. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { hasTurn, phaseOf } from "./turns.ts";

const PERIOD_MS = 1_800_000;

test("an object has exactly one turn per period, wherever the period begins and however it is cut", () => {
  fc.assert(
    fc.property(
      fc.uuid(),
      fc.integer({ min: 0, max: 2e12 }),
      fc.integer({ min: 1, max: 500 }),
      (uid, startMs, slices) => {
        const edge = (index: number) => startMs + (index * PERIOD_MS) / slices;
        const turns = Array.from({ length: slices }, (_, index) =>
          hasTurn(uid, PERIOD_MS, { fromMs: edge(index), toMs: edge(index + 1) }),
        );
        expect(turns.filter(Boolean)).toHaveLength(1);
      },
    ),
  );
});

test("a process that starts later gives an object the same moments as one that ran all the time", () => {
  const nextTurn = (uid: string, fromMs: number) => {
    const steps = Array.from({ length: 1_800 }, (_, second) => fromMs + second * 1_000);
    return steps.find((atMs) => hasTurn(uid, PERIOD_MS, { fromMs: atMs, toMs: atMs + 1_000 }));
  };
  const uid = "6f1c9b1e-7a54-4c6f-9f0e-1f6b5b8f2a11";
  const turn = nextTurn(uid, 0) ?? -1;
  expect(nextTurn(uid, turn - 600_000)).toBe(turn);
  expect(nextTurn(uid, turn + 1_000)).toBe(turn + PERIOD_MS);
});

test.each([
  ["random UIDs", (index: number) => `${index.toString(16).padStart(8, "0")}-${(index * 2_654_435_761) % 65_536}`],
  ["UIDs that differ in their last digits only", (index: number) => `6f1c9b1e-7a54-4c6f-9f0e-${index}`],
])("5,000 %s are spread over sixty slices without a crowd", (_name, uidOf) => {
  const slices = new Array<number>(60).fill(0);
  for (let index = 0; index < 5_000; index++) {
    const slice = Math.floor(phaseOf(uidOf(index)) * 60);
    slices[slice] = (slices[slice] ?? 0) + 1;
  }
  // 83 on average; a fair throw leaves these bounds once in a million.
  expect(Math.max(...slices)).toBeLessThan(135);
  expect(Math.min(...slices)).toBeGreaterThan(40);
});

test("nothing is due in an empty span, nor when the clock went back", () => {
  fc.assert(
    fc.property(fc.uuid(), fc.integer({ min: 0, max: 2e12 }), fc.nat(PERIOD_MS), (uid, atMs, backMs) => {
      expect(hasTurn(uid, PERIOD_MS, { fromMs: atMs, toMs: atMs - backMs })).toBe(false);
    }),
  );
});
