/** A pod that is not there: an ordinary start is waited for, anything else is named. */
import { expect, test } from "vitest";
import { condition, POD, RUNNING, type StatusParts, statusOf } from "../../../../test/testkit/archive-node-status.ts";
import type { LeavingPod } from "./observed.ts";
import { transitionNotes } from "./transitions.ts";

const [HOUR_AGO, JUST_NOW] = ["2026-11-23T23:00:00Z", "2026-11-24T00:00:00Z"];
const AVAILABLE = { ...statusOf(), version: { current: "1.2.3" } };
const NONE_READY = { ...RUNNING.statefulSet!, readyReplicas: 0 };
const LEAVING: LeavingPod = { name: "alpha-0", endsBefore: JUST_NOW, finalizers: [], machine: "worker-1" };

const without = (observed: StatusParts["observed"], before = AVAILABLE) =>
  statusOf({ status: before, observed: { statefulSet: NONE_READY, pods: [], ...observed } });
const warnings = (after: ReturnType<typeof without>, before = AVAILABLE) =>
  transitionNotes(before, after).filter(({ type }) => type === "Warning");

test.each<[string, StatusParts["observed"]]>([
  ["ends", { leavingPods: [LEAVING] }],
  ["is gone", {}],
  ["was made anew and starts", { pods: [{ ...POD, ready: false, createdAt: JUST_NOW }] }],
])("an ordinary restart is no warning while the pod %s", (_step, observed) => {
  const status = without(observed);
  expect(condition(status, "Available")).toMatchObject({ status: "False", reason: "PodsStarting" });
  expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: "Starting" });
  expect(warnings(status)).toEqual([]);
});

test.each<[string, StatusParts["observed"]]>([
  ["served before", { pods: [{ ...POD, ready: false, createdAt: HOUR_AGO }] }],
  ["has ended since", { pods: [{ ...POD, ready: false, createdAt: JUST_NOW, restarted: true }] }],
  ["has trouble", { pods: [{ ...POD, ready: false, createdAt: JUST_NOW, trouble: "cannot be scheduled" }] }],
])("a pod that is not ready and %s is a warning", (_what, observed) => {
  const status = without(observed);
  expect(condition(status, "Available")).toMatchObject({ status: "False", reason: "MinimumReplicasUnavailable" });
  expect(warnings(status)).toMatchObject([{ reason: "NotAvailable" }]);
});

test("what comes of a start is a warning once it is known", () => {
  const starting = { ...without({}), version: { current: "1.2.3" } };
  const refused = without({ refusal: 'x is forbidden: serviceaccount "robot" not found' }, starting);
  expect(
    warnings(refused, starting)
      .map(({ note }) => note)
      .join(),
  ).toContain("ServiceAccount robot is missing");
});

test("a pod that does not end is named with its machine, or with the finalizer that holds it", () => {
  const overdue = { ...LEAVING, endsBefore: HOUR_AGO };
  const stuck = condition(without({ leavingPods: [overdue] }), "Available");
  expect(stuck?.reason).toBe("PodsNotCreated");
  expect(stuck?.message).toMatch(/ended by 2026-11-23T23:00:00Z .*machine worker-1 .*delete pod alpha-0 --force$/);
  const held = { ...overdue, finalizers: ["example.org/hold"] };
  const { message } = condition(without({ leavingPods: [held] }), "Available") ?? {};
  expect(message).toContain("held by finalizer example.org/hold");
  expect(message).not.toContain("--force");
});

test("a claim that does not go is named", () => {
  const status = without({ leavingClaims: [{ name: "data-alpha-0", volume: undefined }] });
  expect(condition(status, "Available")?.message).toContain("while claim data-alpha-0 is being deleted");
});
