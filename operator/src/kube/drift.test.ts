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
  [
    "what the server fills into the rules of a NetworkPolicy",
    { spec: { ingress: [{ ports: [{ port: 80 }], from: [{ podSelector: { matchLabels: {} } }] }], egress: [] } },
    { spec: { ingress: [{ ports: [{ port: 80, protocol: "TCP" }], from: [{ podSelector: {} }] }] } },
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
  ["a port more in a list without names", { ports: [{ port: 1 }] }, { ports: [{ port: 1 }, { port: 2 }] }, "ports"],
  [
    "a toleration more",
    { tolerations: [{ key: "a", operator: "Exists" }] },
    { tolerations: [{ key: "a", operator: "Exists" }, { operator: "Exists" }] },
    "tolerations",
  ],
  [
    "a rule that became narrower",
    { spec: { ingress: [{ ports: [{ port: 80 }] }] } },
    { spec: { ingress: [{ ports: [{ port: 80 }], from: [{ podSelector: {} }] }] } },
    "spec.ingress",
  ],
  [
    "a rule that became wider",
    { spec: { ingress: [{ ports: [{ port: 80 }] }] } },
    { spec: { ingress: [{ ports: [{ port: 80, endPort: 65_535 }] }] } },
    "spec.ingress",
  ],
  [
    "an empty selector in place of another",
    { spec: { egress: [{ to: [{ podSelector: {} }] }] } },
    { spec: { egress: [{ to: [{ namespaceSelector: {} }] }] } },
    "spec.egress",
  ],
  ["a false that means something", { a: 1, enableServiceLinks: false }, { a: 1 }, "enableServiceLinks"],
  ["a list of another length", { args: ["a"] }, { args: ["a", "b"] }, "args"],
])("%s: drift", (_name, desired, live, path) => {
  expect(firstDrift(desired, live)).toBe(path);
});
