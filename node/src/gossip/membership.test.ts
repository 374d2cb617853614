import fc from "fast-check";
import { expect, test } from "vitest";
import { SYSTEM_CLOCK } from "./clock.ts";
import { Membership } from "./membership.ts";
import { GOSSIP_LIMITS, ProbePatience, suspicionMs } from "./timing.ts";

const [A, B] = ["a", "b"];
const rotating = () => 0.5;

test("a missing answer makes suspect, suspicion without one dead, an answer alive; dead for a day is forgotten", () => {
  const seen: string[] = [];
  const members = new Membership(rotating, ({ from, to }) => seen.push(`${from} ${to}`));
  members.keepOnly([A], 0);
  expect(members.stateOf(A)).toBe("unknown");
  members.answered(A, 10);
  members.missed(A, 20);
  expect(members.advance(20 + suspicionMs(1) - 1)).toEqual([]);
  expect(members.stateOf(A)).toBe("suspect");
  members.missed(A, 25_000);
  const deadMs = 20 + suspicionMs(1);
  expect(members.advance(deadMs)).toEqual([]);
  expect(members.stateOf(A)).toBe("dead");
  members.missed(A, deadMs + 1);
  expect(members.advance(deadMs + GOSSIP_LIMITS.forgetMs - 1)).toEqual([]);
  expect(members.advance(deadMs + GOSSIP_LIMITS.forgetMs)).toEqual([A]);
  members.answered(A, deadMs + GOSSIP_LIMITS.forgetMs);
  expect(seen).toEqual(["unknown alive", "alive suspect", "suspect dead", "dead alive"]);
  expect(members.counts()).toEqual({ alive: 1, suspect: 0, dead: 0, unknown: 0 });
});

test("suspicion is half a minute in small federations and grows with the logarithm of their size", () => {
  expect([1, 10, 100, 1_000].map(suspicionMs)).toEqual([30_000, 30_000, 60_000, 90_000]);
});

test("whatever is answered and missed when, a peer that answered last is alive, and nobody dies within the suspicion", () => {
  const events = fc.array(
    fc.tuple(fc.constantFrom("answered", "missed", "advance"), fc.integer({ min: 0, max: 40_000 })),
  );
  fc.assert(
    fc.property(events, (steps) => {
      const members = new Membership(rotating);
      members.keepOnly([A], 0);
      let [nowMs, missedSinceMs] = [0, Number.POSITIVE_INFINITY];
      for (const [what, laterMs] of steps) {
        nowMs += laterMs;
        if (what === "advance") members.advance(nowMs);
        else members[what](A, nowMs);
        if (what === "missed") missedSinceMs = Math.min(missedSinceMs, nowMs);
        if (what === "answered") {
          missedSinceMs = Number.POSITIVE_INFINITY;
          expect(members.stateOf(A)).toBe("alive");
        }
        if (members.stateOf(A) === "dead") expect(nowMs - missedSinceMs).toBeGreaterThanOrEqual(suspicionMs(1));
      }
    }),
  );
});

test.each([1, 3, 12, 50, 200])("each of %d peers is asked within a minute, and suspects in every period", (count) => {
  const members = new Membership(Math.random);
  const ids = Array.from({ length: count }, (_none, at) => `peer ${at}`);
  members.keepOnly(ids, 0);
  for (const id of ids) members.answered(id, 0);
  members.missed("peer 0", 0);
  const asked = new Set<string>();
  for (let period = 0; period < 2 * (GOSSIP_LIMITS.everyPeerWithinMs / GOSSIP_LIMITS.probeMs); period += 1) {
    const due = members.due();
    expect(due).toContain("peer 0");
    for (const id of due) asked.add(id);
  }
  expect(asked.size).toBe(count);
});

test("who is dropped has no state, and comes back unknown", () => {
  const members = new Membership(rotating);
  expect(members.keepOnly([A, B], 0)).toBe(true);
  members.answered(A, 0);
  expect(members.keepOnly([B], 1)).toBe(true);
  members.answered(A, 2);
  expect([members.stateOf(A), members.size]).toEqual(["unknown", 1]);
  expect(members.keepOnly([B], 3)).toBe(false);
});

test("answers are waited for by the slowest of the last round trips, and longer by a node in trouble", () => {
  const patience = new ProbePatience();
  expect(patience.timeoutMs).toBe(3_000);
  for (let times = 0; times < 100; times += 1) patience.answered(10);
  expect(patience.timeoutMs).toBe(500);
  patience.missed();
  expect(patience.timeoutMs).toBe(1_000);
  for (let times = 0; times < 20; times += 1) patience.missed();
  expect(patience.timeoutMs).toBe(4_500);
  patience.answered(1_000);
  expect(patience.timeoutMs).toBe(500 * 8);
  for (let times = 0; times < 8; times += 1) patience.answered(1_000);
  expect(patience.timeoutMs).toBe(1_500);
});

test("patience of a measured length is waited for", () => {
  const patience = new ProbePatience();
  patience.answered(501.2710456666661);
  expect(patience.timeoutMs).not.toBe(Math.round(patience.timeoutMs));
  expect(SYSTEM_CLOCK.timeout(patience.timeoutMs).aborted).toBe(false);
});
