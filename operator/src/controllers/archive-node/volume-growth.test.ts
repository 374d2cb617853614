import { expect, test } from "vitest";
import type { ClaimTemplate, ObservedClaim, ObservedState, ObservedStatefulSet } from "./observed.ts";
import { claimTemplateFor, planGrowth } from "./volume-growth.ts";

const SET: ObservedStatefulSet = {
  uid: "u",
  resourceVersion: "7",
  terminating: false,
  claim: { size: "10Gi", className: undefined, accessMode: "ReadWriteOnce" },
  upToDate: true,
  replicas: 1,
  readyReplicas: 1,
  updatedReplicas: 1,
};
const CLAIM: ObservedClaim = {
  name: "data-alpha-0",
  bound: true,
  lost: false,
  requested: "10Gi",
  className: "fast",
  accessModes: ["ReadWriteOnce"],
  capacity: "10Gi",
};

const wanted = (size: string): ClaimTemplate => ({ ...SET.claim, size });

function state(parts: Partial<ObservedState> = {}): ObservedState {
  return {
    statefulSet: SET,
    claims: [CLAIM],
    leavingClaims: [],
    leavingPods: [],
    pods: [],
    facts: { pods: new Map() },
    recoveryKeyInCluster: false,
    serviceMonitorExists: false,
    ...parts,
  };
}

test("equal sizes in other words need nothing", () => {
  expect(planGrowth(wanted("10240Mi"), state())).toEqual({ step: "none" });
});

test("claims grow first", () => {
  expect(planGrowth(wanted("20Gi"), state())).toEqual({ step: "grow-claims", claims: ["data-alpha-0"] });
});

test("a claim without a volume is left alone until it has one", () => {
  const claims = [{ ...CLAIM, bound: false, capacity: undefined }];
  expect(planGrowth(wanted("20Gi"), state({ claims }))).toMatchObject({ step: "replace-stateful-set" });
  const statefulSet = { ...SET, claim: wanted("20Gi") };
  expect(planGrowth(wanted("20Gi"), state({ claims, statefulSet }))).toEqual({ step: "none" });
  expect(planGrowth(wanted("20Gi"), state({ statefulSet }))).toMatchObject({ step: "grow-claims" });
});

test("then capacity is awaited", () => {
  const claims = [{ ...CLAIM, requested: "20Gi" }];
  expect(planGrowth(wanted("20Gi"), state({ claims }))).toEqual({ step: "await-capacity", claims: ["data-alpha-0"] });
});

test("then the StatefulSet is replaced, bound to what was seen", () => {
  const claims = [{ ...CLAIM, requested: "20Gi", capacity: "20Gi" }];
  expect(planGrowth(wanted("20Gi"), state({ claims }))).toEqual({
    step: "replace-stateful-set",
    uid: "u",
    resourceVersion: "7",
  });
});

test("its successor waits until it is gone", () => {
  const statefulSet = { ...SET, terminating: true };
  expect(planGrowth(wanted("20Gi"), state({ statefulSet }))).toEqual({ step: "await-removal" });
});

test("a crash after the deletion leads to the new size", () => {
  const claims = [{ ...CLAIM, requested: "20Gi", capacity: "20Gi" }];
  const observed = state({ statefulSet: undefined, claims });
  const growth = planGrowth(wanted("20Gi"), observed);
  expect([growth, claimTemplateFor(wanted("20Gi"), observed, growth)]).toEqual([{ step: "none" }, wanted("20Gi")]);
});

test("shrinking is rejected and the template keeps its size", () => {
  const observed = state();
  const growth = planGrowth(wanted("5Gi"), observed);
  expect(growth).toEqual({ step: "rejected", current: "10Gi" });
  expect(claimTemplateFor(wanted("5Gi"), observed, growth)).toEqual(wanted("10Gi"));
});

test("kept volumes larger than a new node asks for are a rejected shrink too", () => {
  const observed = state({ statefulSet: undefined });
  const growth = planGrowth(wanted("5Gi"), observed);
  expect(growth.step).toBe("rejected");
  expect(claimTemplateFor(wanted("5Gi"), observed, growth)).toEqual(wanted("10Gi"));
});

test("another class is for volumes to come: the StatefulSet is replaced, the claim left alone", () => {
  const template = { ...SET.claim, className: "fast" };
  expect(planGrowth(template, state())).toMatchObject({ step: "replace-stateful-set" });
  expect(claimTemplateFor(template, state(), { step: "none" })).toEqual(SET.claim);
});
