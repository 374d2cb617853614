import { expect, test } from "vitest";
import { MISSING_REASONS, type MissingReason } from "../contract/federation-reports.ts";
import { shownCounts, shownReason, stateOf, Tally, type TargetView } from "./tally.ts";

const REASONS = Object.keys(MISSING_REASONS) as readonly MissingReason[];
const viewOf = (counts: Partial<Record<MissingReason, number>>, rest: Partial<TargetView> = {}): TargetView => ({
  ...{ counts: new Tally(counts).counts, active: [], blocked: undefined, hasEnded: true, listFailed: false },
  ...rest,
});

test("every file has one reason: what is being fetched, what keeps all out, or what was remembered", () => {
  const active = [{ remembered: "queued", phase: "transferring" }] as const;
  const view = viewOf({ queued: 3, corrupt: 1 }, { active, blocked: "holder-offline" });
  const shown = shownCounts(view);
  expect(Object.fromEntries(shown.counts)).toEqual({ "holder-offline": 2, corrupt: 1, transferring: 1 });
  expect(shown.total).toBe(4);
});

test("a wider collection and a policy that never runs let nothing in, whatever else is the matter", () => {
  for (const blocked of ["access-wider", "bad-schedule"] as const) {
    for (const reason of REASONS) expect(shownReason(reason, blocked)).toBe(blocked);
  }
  expect([shownReason("too-large", "holder-offline"), shownReason("queued", "refused")]).toEqual([
    "too-large",
    "refused",
  ]);
});

test("a file whose transfer was cut off shows that its peer refuses, once the peer says so", () => {
  expect(shownReason("holder-offline", "refused")).toBe("refused");
  expect(shownReason("holder-offline", undefined)).toBe("holder-offline");
});

test.each([
  ["nothing missing", viewOf({}), { state: "Synced" }],
  ["no look has ended", viewOf({}, { hasEnded: false }), { state: "Pending" }],
  [
    "something comes",
    viewOf({ queued: 1 }, { active: [{ remembered: "queued", phase: "verifying" }] }),
    { state: "Syncing", reason: "verifying" },
  ],
  [
    "the list cannot be read",
    viewOf({ queued: 1 }, { listFailed: true, blocked: "holder-offline" }),
    { state: "Failed", reason: "holder-offline" },
  ],
  ["a list in another language", viewOf({}, { listFailed: true }), { state: "Failed", reason: "failed" }],
] as const)("%s", (_name, view, expected) => {
  expect(stateOf(view)).toEqual(expected);
});

test("each reason alone is the gravest", () => {
  for (const reason of REASONS) expect(stateOf(viewOf({ [reason]: 1 }))).toEqual({ state: "Incomplete", reason });
});

test("counts follow files that change their reason or arrive", () => {
  const tally = new Tally({ queued: 2 });
  tally.move("queued", "corrupt");
  tally.move("queued", undefined);
  expect([Object.fromEntries(tally.counts), tally.total]).toEqual([{ corrupt: 1 }, 1]);
});
