import type { ArchiveNodeConditionType } from "@archivestream/crds";
import { expect, test } from "vitest";
import {
  condition,
  facts,
  NODE_ID,
  NOW,
  POD,
  RUNNING,
  type StatusParts,
  statusOf,
} from "../../../../test/testkit/archive-node-status.ts";
import type { ObservedState } from "./observed.ts";

test("a node whose pods run with everything is ready and not reconciling", () => {
  const status = statusOf();
  expect(condition(status, "Ready")).toMatchObject({ status: "True", reason: "Ready" });
  expect(condition(status, "Reconciling")).toBeUndefined();
  expect(condition(status, "Stalled")).toBeUndefined();
  expect(status).toMatchObject({
    observedGeneration: 1,
    nodeID: NODE_ID,
    readyReplicas: 1,
    version: { current: "1.2.3", target: "1.2.3", updatedReplicas: 1 },
    trust: { sequence: 1, observedSequence: 1, lastPropagatedTime: "2026-11-24T00:00:00Z" },
    storage: { requested: "10Gi", capacity: "10Gi", resizing: false },
  });
});

test("a new object is reconciling and waits, and says for what", () => {
  const status = statusOf({ observed: { statefulSet: undefined, pods: [], claims: [], facts: { pods: new Map() } } });
  expect(condition(status, "Reconciling")?.status).toBe("True");
  expect(condition(status, "Available")).toMatchObject({ status: "Unknown", reason: "Pending" });
  expect(condition(status, "StorageReady")?.message).toContain("data-alpha-0");
});

test("a restarted operator that has not asked anyone yet leaves the status as it was", () => {
  const stored = statusOf();
  const status = statusOf({ status: stored, observed: { facts: { pods: new Map() } } });
  expect(status).toEqual(stored);
});

test("the same facts later give the same status", () => {
  const stored = statusOf();
  expect(statusOf({ status: stored, input: { now: new Date("2026-11-25T00:00:00Z") } })).toEqual(stored);
});

test("a transition time moves only with the status", () => {
  const stored = statusOf();
  const later = { now: new Date("2026-11-25T00:00:00Z") };
  const waiting = statusOf({
    status: stored,
    input: later,
    observed: { pods: [], statefulSet: { ...RUNNING.statefulSet!, readyReplicas: 0 } },
  });
  expect(condition(waiting, "Available")?.lastTransitionTime).toBe("2026-11-25T00:00:00Z");
  expect(condition(waiting, "StorageReady")?.lastTransitionTime).toBe("2026-11-24T00:00:00Z");
});

test.each<[string, StatusParts, ArchiveNodeConditionType, string, string]>([
  [
    "a pod that does not start",
    {
      observed: {
        statefulSet: { ...RUNNING.statefulSet!, readyReplicas: 0 },
        pods: [{ ...POD, ready: false, trouble: "ImagePullBackOff" }],
      },
    },
    "Available",
    "MinimumReplicasUnavailable",
    "NotAvailable",
  ],
  [
    "a full disk",
    { observed: { facts: facts({ phase: "Degraded", message: "disk is full" }) } },
    "Available",
    "PodsDegraded",
    "NotAvailable",
  ],
  [
    "an old trust document",
    { observed: { facts: facts({ trust: { sequence: 0, digest: "" } }) } },
    "TrustSynced",
    "Propagating",
    "TrustNotSynced",
  ],
  [
    "an old configuration",
    { observed: { facts: facts({ configDigest: "sha256:old" }) } },
    "ConfigSynced",
    "Propagating",
    "ConfigNotSynced",
  ],
  [
    "a claim that lost its volume",
    {
      observed: {
        claims: [
          {
            name: "data-alpha-0",
            bound: false,
            lost: true,
            requested: "10Gi",
            className: "fast",
            accessModes: ["ReadWriteOnce"],
            capacity: "10Gi",
          },
        ],
      },
    },
    "StorageReady",
    "VolumeLost",
    "StorageNotReady",
  ],
  ["an unbound claim", { observed: { claims: [] } }, "StorageReady", "Pending", "StorageNotReady"],
  [
    "an ended certificate",
    { input: { now: new Date("2027-03-01T00:00:00Z") } },
    "CertificateValid",
    "Expired",
    "CertificateInvalid",
  ],
])("%s makes Ready false and says why", (_name, parts, type, reason, readyReason) => {
  const status = statusOf(parts);
  expect(condition(status, type)).toMatchObject({ status: "False", reason });
  expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: readyReason });
  expect(condition(status, "Reconciling")?.status).toBe("True");
});

test("a lost identity stalls and keeps the id that peers know", () => {
  const lost = { state: "lost", message: "Secret alpha-identity is gone; restore it" } as const;
  const status = statusOf({ status: { nodeID: NODE_ID }, observed: { facts: { identity: lost, pods: new Map() } } });
  expect(condition(status, "Stalled")).toMatchObject({ reason: "IdentityLost" });
  expect(condition(status, "Reconciling")).toBeUndefined();
  expect(status.nodeID).toBe(NODE_ID);
});

test("a silent pod is told from a pod that was not asked yet", () => {
  const pods = new Map([["alpha-0", { state: "unreachable", podUid: "p", message: "is silent; do this" } as const]]);
  const status = statusOf({ observed: { facts: { ...facts(), pods } } });
  const message = "the admin port of pod alpha-0 is silent; do this";
  expect(condition(status, "TrustSynced")).toMatchObject({ status: "Unknown", reason: "PodsUnreachable", message });
  expect(condition(status, "Ready")).toMatchObject({ status: "Unknown", message });
});

test("a report of an earlier pod of that name does not count", () => {
  const status = statusOf({ observed: { pods: [{ ...POD, uid: "new" }] } });
  expect(condition(status, "TrustSynced")).toMatchObject({ status: "Unknown", reason: "Pending" });
});

test("a hibernated node is ready for what it was asked", () => {
  const set = { ...RUNNING.statefulSet!, specReplicas: 0, replicas: 0, readyReplicas: 0, updatedReplicas: 0 };
  const status = statusOf({ spec: { replicas: 0 }, observed: { statefulSet: set, pods: [] } });
  expect(condition(status, "Ready")).toMatchObject({ status: "True", reason: "Hibernated" });
});

test("fields without effect are named", () => {
  const status = statusOf({ input: { notImplemented: ["spec.crawl"] } });
  expect(condition(status, "Accepted")).toMatchObject({ status: "True", reason: "NotImplementedFields" });
  expect(condition(status, "Accepted")?.message).toContain("spec.crawl");
});

test("a node that needs engines is not accepted and not ready", () => {
  const status = statusOf({ spec: { coordination: { redis: { urlRef: { name: "r" } } } }, observed: { pods: [] } });
  expect(condition(status, "Accepted")).toMatchObject({ status: "False", reason: "NotImplementedEngines" });
  expect(condition(status, "Ready")?.status).toBe("False");
  expect(condition(status, "Reconciling")).toBeUndefined();
});

test("a Secret that the user has yet to make is waited for, and named before the pods that wait for it", () => {
  const message = "Secret mine, which spec.identity.secretRef names, does not exist; create it";
  const status = statusOf({
    observed: {
      facts: { identity: { state: "awaited", reason: "SecretNotFound", message }, pods: new Map() },
      pods: [{ ...POD, ready: false, trouble: "ContainerCreating" }],
    },
  });
  expect(condition(status, "CertificateValid")).toMatchObject({ status: "False", reason: "SecretNotFound", message });
  expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: "CertificateInvalid", message });
  expect(condition(status, "Reconciling")).toMatchObject({ status: "True" });
  expect(condition(status, "Stalled")).toBeUndefined();
});

test("a node that is not ready and suspended says who has to move", () => {
  const status = statusOf({ spec: { suspend: true }, observed: { statefulSet: undefined, pods: [], claims: [] } });
  expect(condition(status, "Ready")?.message).toContain("spec.suspend is true: set it to false to go on");
  expect(condition(status, "Reconciling")).toBeUndefined();
});

test("what is not ready for a minute is said to take long, until it is ready", () => {
  const unready = { statefulSet: { ...RUNNING.statefulSet, readyReplicas: 0 } as ObservedState["statefulSet"] };
  const first = statusOf({ observed: unready });
  expect(condition(first, "Reconciling")?.reason).toBe("Progressing");
  const at = (ms: number, observed: Partial<ObservedState>) =>
    condition(statusOf({ status: first, observed, input: { now: new Date(NOW.getTime() + ms) } }), "Reconciling")
      ?.reason;
  expect([at(59_000, unready), at(60_000, unready), at(60_000, {})]).toEqual(["Progressing", "TakesLong", undefined]);
});

test("a recovery key that is still in the cluster is mentioned without making anything False", () => {
  const status = statusOf({ observed: { recoveryKeyInCluster: true } });
  expect(condition(status, "CertificateValid")?.status).toBe("True");
  expect(condition(status, "CertificateValid")?.message).toContain("save it outside the cluster, then delete that");
  expect(condition(status, "Ready")?.status).toBe("True");
  expect(condition(statusOf(), "CertificateValid")?.message).not.toContain("recovery");
});
