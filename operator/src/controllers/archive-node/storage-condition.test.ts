/** What a user is told of the volumes of an ArchiveNode. */
import { expect, test } from "vitest";
import type { ArchiveNodeParts } from "../../../../test/testkit/archive-node-builder.ts";
import { condition, statusOf } from "../../../../test/testkit/archive-node-status.ts";
import { transitionNotes } from "./transitions.ts";

const UNBOUND = {
  name: "data-alpha-0",
  bound: false,
  lost: false,
  requested: "10Gi",
  className: "fast",
  accessModes: ["ReadWriteOnce"],
  capacity: undefined,
};

test("a volume with no room for anything is refused before it is made", () => {
  const status = statusOf({
    spec: { storage: { size: "100Mi" } },
    observed: { statefulSet: undefined, pods: [], claims: [] },
  });
  expect(condition(status, "Stalled")).toMatchObject({ status: "True", reason: "InvalidSpec" });
  expect(condition(status, "Ready")?.message).toContain("set spec.storage.size to 512Mi or more");
  expect(condition(statusOf({ spec: { storage: { size: "512Mi" } } }), "Stalled")).toBeUndefined();
});

test("a claim that is not made yet is no question of storage", () => {
  const status = statusOf({ observed: { claims: [], pods: [] } });
  expect(condition(status, "StorageReady")?.message).toBe(
    "data-alpha-0 comes with its pod; see the Available condition",
  );
});

test("a claim that waits names the class that should make its volume", () => {
  const waiting = (spec: ArchiveNodeParts["spec"]) =>
    condition(statusOf({ ...(spec === undefined ? {} : { spec }), observed: { claims: [UNBOUND] } }), "StorageReady")
      ?.message;
  expect(waiting({ storage: { className: "fast" } })).toMatch(
    /StorageClass fast exists.*kubectl describe pvc data-alpha-0/,
  );
  expect(waiting(undefined)).toContain("a default StorageClass");
});

test.each([
  ["a running node", 1, /kubectl describe pvc data-alpha-0/],
  ["a hibernated node", 0, /raise spec\.replicas/],
])("of a volume that grows, %s says what to look at", (_what, replicas, message) => {
  const growth = { step: "await-capacity", claims: ["data-alpha-0"] } as const;
  const status = statusOf({ spec: { replicas, storage: { size: "20Gi" } }, input: { growth } });
  expect(condition(status, "StorageReady")).toMatchObject({ status: "False", reason: "Resizing" });
  expect(condition(status, "StorageReady")?.message).toMatch(message);
});

test("a claim that was deleted under its pod says what is lost, when, and how to keep it", () => {
  const leavingClaims = [{ name: "data-alpha-0", volume: "pvc-1" }];
  const status = statusOf({ observed: { claims: [], leavingClaims } });
  expect(condition(status, "StorageReady")).toMatchObject({ status: "False", reason: "ClaimTerminating" });
  expect(condition(status, "StorageReady")?.message).toMatch(/go when pod alpha-0 ends.*kubectl patch pv pvc-1 /);
  expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: "StorageNotReady" });
  const announced = transitionNotes(statusOf({}), status).filter(({ reason }) => reason === "ClaimTerminating");
  expect(announced).toMatchObject([{ type: "Warning" }]);
});
