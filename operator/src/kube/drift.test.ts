/** What counts as drift and what is only the server's way of writing the same. */
import { expect, test } from "vitest";
import { firstDrift } from "./drift.ts";

test.each([
  ["fields we do not set", { spec: { a: 1 } }, { spec: { a: 1, b: 2 } }],
  [
    "quantities",
    { resources: { limits: { cpu: "1000m", memory: "1Gi" } } },
    { resources: { limits: { cpu: "1", memory: "1024Mi" } } },
  ],
  ["empty values the server drops", { spec: { env: [], hostNetwork: false, note: "" } }, { spec: {} }],
  [
    "more entries in a keyed list",
    { env: [{ name: "A", value: "1" }] },
    { env: [{ name: "X" }, { name: "A", value: "1" }] },
  ],
  ["another's finalizer", { metadata: { finalizers: ["ours"] } }, { metadata: { finalizers: ["theirs", "ours"] } }],
])("%s: no drift", (_name, desired, live) => {
  expect(firstDrift(desired, live)).toBeUndefined();
});

test.each([
  ["a changed leaf", { spec: { a: 1 } }, { spec: { a: 2 } }, "spec.a"],
  ["a missing field", { spec: { a: 1 } }, {}, "spec"],
  ["a smaller quantity", { limits: { memory: "1Gi" } }, { limits: { memory: "1Mi" } }, "limits.memory"],
  ["numbers that are text elsewhere", { annotations: { v: "1.0" } }, { annotations: { v: "1" } }, "annotations.v"],
  ["an entry that went", { env: [{ name: "A", value: "1" }] }, { env: [{ name: "B" }] }, "env[0]"],
  ["a list of another length", { args: ["a"] }, { args: ["a", "b"] }, "args"],
])("%s: drift", (_name, desired, live, path) => {
  expect(firstDrift(desired, live)).toBe(path);
});
