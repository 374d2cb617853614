/** Never more calls than allowed in any stretch of time, none lost, in order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createFakeClock } from "../../../test/testkit/fake-clock.ts";
import { Pace, paced } from "./pace.ts";

const NEVER = new AbortController().signal;
const RATE = { perSecond: 50, burst: 10 };
const INTERVAL_MS = 20;

async function letThrough(
  arrivalsMs: readonly number[],
): Promise<readonly { readonly call: number; readonly atMs: number }[]> {
  const clock = createFakeClock();
  const pace = new Pace(clock, RATE);
  const passed: { call: number; atMs: number }[] = [];
  const turns = [...arrivalsMs].sort((a, b) => a - b).map((atMs, call) => ({ atMs, call }));
  const waiting: Promise<void>[] = [];
  const endMs = Math.max(0, ...arrivalsMs) + arrivalsMs.length * INTERVAL_MS + 1;
  for (let nowMs = 0; nowMs <= endMs; nowMs += INTERVAL_MS / 2) {
    for (const { call } of turns.filter(({ atMs }) => atMs <= nowMs && atMs > nowMs - INTERVAL_MS / 2)) {
      waiting.push(pace.turn(NEVER).then(() => void passed.push({ call, atMs: clock.monotonicMs() })));
    }
    await Promise.resolve();
    clock.advance(INTERVAL_MS / 2);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(waiting);
  return passed;
}

test("however calls arrive, all pass, in order, and no second sees more than its share and one burst", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 120 }),
      async (arrivals) => {
        const passed = await letThrough(arrivals);
        expect(passed.map(({ call }) => call)).toEqual(arrivals.map((_, index) => index));
        for (const { atMs: fromMs } of passed) {
          const within = passed.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 1_000);
          expect(within.length).toBeLessThanOrEqual(RATE.perSecond + RATE.burst);
        }
      },
    ),
    { numRuns: 30 },
  );
});

test("a thousand calls at once take as long as the rate says", async () => {
  const passed = await letThrough(new Array<number>(1_000).fill(1));
  const lastMs = Math.max(...passed.map(({ atMs }) => atMs));
  expect(lastMs).toBeGreaterThanOrEqual((1_000 - RATE.burst) * INTERVAL_MS);
  expect(lastMs).toBeLessThanOrEqual(1_001 * INTERVAL_MS);
});

test("an abort ends the wait at once", async () => {
  const pace = new Pace(createFakeClock(), { perSecond: 1, burst: 1 });
  await pace.turn(NEVER);
  const stop = new AbortController();
  const waiting = pace.turn(stop.signal);
  stop.abort();
  await waiting;
});

test("polls and documents share one pace", async () => {
  const turns: string[] = [];
  const client = paced(
    {
      status: async () => {
        turns.push("status");
        return "unchanged";
      },
      report: async () => "unchanged" as const,
      push: async () => {
        turns.push("push");
        return "taken";
      },
    },
    { turn: async () => void turns.push("turn") },
  );
  const target = { pod: "a/x-0", address: "127.0.0.1", port: 1, serverName: "x" };
  expect(await client.status(target, undefined, NEVER)).toBe("unchanged");
  expect(await client.push(target, "/", "{}", NEVER)).toBe("taken");
  expect(turns).toEqual(["turn", "status", "turn", "push"]);
});
