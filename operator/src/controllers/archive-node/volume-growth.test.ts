import { expect, test } from "vitest";
import type { ObservedClaim, ObservedState, ObservedStatefulSet } from "./observed.ts";
import { planGrowth, templateSize } from "./volume-growth.ts";

const SET: ObservedStatefulSet = {
  uid: "u",
  resourceVersion: "7",
  terminating: false,
  claimSize: "10Gi",
  upToDate: true,
  specReplicas: 1,
  replicas: 1,
  readyReplicas: 1,
  updatedReplicas: 1,
};
const CLAIM: ObservedClaim = { name: "data-alpha-0", bound: true, lost: false, requested: "10Gi", capacity: "10Gi" };

function state(parts: Partial<ObservedState> = {}): ObservedState {
  return {
    statefulSet: SET,
    claims: [CLAIM],
    pods: [],
    facts: { pods: new Map() },
    recoveryKeyInCluster: false,
    serviceMonitorExists: false,
    ...parts,
  };
}

test("equal sizes in other words need nothing", () => {
  expect(planGrowth("10240Mi", state())).toEqual({ step: "none" });
});

test("claims grow first", () => {
  expect(planGrowth("20Gi", state())).toEqual({ step: "grow-claims", claims: ["data-alpha-0"] });
});

test("then capacity is awaited", () => {
  const claims = [{ ...CLAIM, requested: "20Gi" }];
  expect(planGrowth("20Gi", state({ claims }))).toEqual({ step: "await-capacity", claims: ["data-alpha-0"] });
});

test("then the StatefulSet is replaced, bound to what was seen", () => {
  const claims = [{ ...CLAIM, requested: "20Gi", capacity: "20Gi" }];
  expect(planGrowth("20Gi", state({ claims }))).toEqual({
    step: "replace-stateful-set",
    uid: "u",
    resourceVersion: "7",
  });
});

test("its successor waits until it is gone", () => {
  const statefulSet = { ...SET, terminating: true };
  expect(planGrowth("20Gi", state({ statefulSet }))).toEqual({ step: "await-removal" });
});

test("a crash after the deletion leads to the new size", () => {
  const claims = [{ ...CLAIM, requested: "20Gi", capacity: "20Gi" }];
  const observed = state({ statefulSet: undefined, claims });
  const growth = planGrowth("20Gi", observed);
  expect([growth, templateSize("20Gi", observed, growth)]).toEqual([{ step: "none" }, "20Gi"]);
});

test("shrinking is rejected and the template keeps its size", () => {
  const observed = state();
  const growth = planGrowth("5Gi", observed);
  expect([growth, templateSize("5Gi", observed, growth)]).toEqual([{ step: "rejected", current: "10Gi" }, "10Gi"]);
});

test("kept volumes larger than a new node asks for are a rejected shrink too", () => {
  const observed = state({ statefulSet: undefined });
  const growth = planGrowth("5Gi", observed);
  expect([growth.step, templateSize("5Gi", observed, growth)]).toEqual(["rejected", "10Gi"]);
});
