import type { ArchiveNodeConditionType, ArchiveNodeStatus } from "@archivestream/crds";
import type { AdminStatus } from "@archivestream/node/contract";
import { expect, test } from "vitest";
import { type ArchiveNodeParts, archiveNode } from "../../../../test/testkit/archive-node-builder.ts";
import type { NodeFacts } from "../facts.ts";
import type { ConditionInput } from "./conditions.ts";
import { effectiveNode } from "./effective.ts";
import type { ObservedState } from "./observed.ts";
import { archiveNodeStatus } from "./status.ts";

const NOW = new Date("2026-11-24T00:00:00.500Z");
const NODE_ID = "ab".repeat(32);
const DIGEST = `sha256:${"cd".repeat(32)}`;
const SETTINGS = {
  nodeRepository: "example.test/archive-node",
  nodeVersion: "1.2.3",
  nodePullPolicy: "IfNotPresent",
  operatorNamespace: "archive-operator",
  operatorPodLabels: {},
};
const ANSWER: AdminStatus = {
  nodeID: NODE_ID,
  version: "1.2.3",
  configDigest: DIGEST,
  phase: "Serving",
  message: "",
  trust: { sequence: 1, digest: DIGEST },
  federation: { sequence: 1, digest: DIGEST },
  certificate: { notAfter: "2027-02-01T00:00:00Z", serial: "01" },
  delegationNotAfter: "2027-02-01T00:00:00Z",
};
const CERTIFICATE = { notAfter: "2027-02-01T00:00:00Z", renewAfter: "2027-01-01T00:00:00Z", serial: "01" };
const DOCUMENT = { sequence: 1, digest: DIGEST, text: "{}", base64: "", annotation: "" };

function facts(answer: Partial<AdminStatus> = {}): NodeFacts {
  return {
    identity: { state: "present", nodeID: NODE_ID, certificate: CERTIFICATE },
    pods: new Map([["alpha-0", { state: "answered", podUid: "p", status: { ...ANSWER, ...answer } }]]),
  };
}

const RUNNING: ObservedState = {
  statefulSet: {
    uid: "u",
    resourceVersion: "7",
    terminating: false,
    claim: { size: "10Gi", className: undefined, accessMode: "ReadWriteOnce" },
    upToDate: true,
    replicas: 1,
    readyReplicas: 1,
    updatedReplicas: 1,
  },
  claims: [
    {
      name: "data-alpha-0",
      bound: true,
      lost: false,
      requested: "10Gi",
      className: "fast",
      accessModes: ["ReadWriteOnce"],
      capacity: "10Gi",
    },
  ],
  pods: [{ name: "alpha-0", uid: "p", ready: true, trouble: "" }],
  facts: facts(),
  recoveryKeyInCluster: false,
  serviceMonitorExists: false,
};

interface Parts extends ArchiveNodeParts {
  readonly observed?: Partial<ObservedState>;
  readonly input?: Partial<ConditionInput>;
}

function setUp({ observed, input, ...parts }: Parts = {}): ArchiveNodeStatus {
  const object = archiveNode(parts);
  return archiveNodeStatus(object, {
    node: effectiveNode(object, SETTINGS),
    notImplemented: [],
    observed: { ...RUNNING, ...observed },
    documents: { trust: { ...DOCUMENT, entries: 0 }, federation: DOCUMENT, configText: "{}", configDigest: DIGEST },
    growth: { step: "none" },
    blocked: undefined,
    now: NOW,
    ...input,
  });
}

function condition(status: ArchiveNodeStatus, type: ArchiveNodeConditionType) {
  return status.conditions?.find((one) => one.type === type);
}

test("a node whose pods run with everything is ready and not reconciling", () => {
  const status = setUp();
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
  const status = setUp({ observed: { statefulSet: undefined, pods: [], claims: [], facts: { pods: new Map() } } });
  expect(condition(status, "Reconciling")?.status).toBe("True");
  expect(condition(status, "Available")).toMatchObject({ status: "Unknown", reason: "Pending" });
  expect(condition(status, "StorageReady")?.message).toContain("data-alpha-0");
});

test("a restarted operator that has not asked anyone yet leaves the status as it was", () => {
  const stored = setUp();
  const status = setUp({ status: stored, observed: { facts: { pods: new Map() } } });
  expect(status).toEqual(stored);
});

test("the same facts later give the same status", () => {
  const stored = setUp();
  expect(setUp({ status: stored, input: { now: new Date("2026-11-25T00:00:00Z") } })).toEqual(stored);
});

test("a transition time moves only with the status", () => {
  const stored = setUp();
  const later = { now: new Date("2026-11-25T00:00:00Z") };
  const waiting = setUp({
    status: stored,
    input: later,
    observed: { pods: [], statefulSet: { ...RUNNING.statefulSet!, readyReplicas: 0 } },
  });
  expect(condition(waiting, "Available")?.lastTransitionTime).toBe("2026-11-25T00:00:00Z");
  expect(condition(waiting, "StorageReady")?.lastTransitionTime).toBe("2026-11-24T00:00:00Z");
});

test.each<[string, Parts, ArchiveNodeConditionType, string, string]>([
  [
    "a pod that does not start",
    {
      observed: {
        statefulSet: { ...RUNNING.statefulSet!, readyReplicas: 0 },
        pods: [{ name: "alpha-0", uid: "p", ready: false, trouble: "ImagePullBackOff" }],
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
  const status = setUp(parts);
  expect(condition(status, type)).toMatchObject({ status: "False", reason });
  expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: readyReason });
  expect(condition(status, "Reconciling")?.status).toBe("True");
});

test("a lost identity stalls and keeps the id that peers know", () => {
  const lost = { state: "lost", message: "Secret alpha-identity is gone; restore it" } as const;
  const status = setUp({ status: { nodeID: NODE_ID }, observed: { facts: { identity: lost, pods: new Map() } } });
  expect(condition(status, "Stalled")).toMatchObject({ reason: "IdentityLost" });
  expect(condition(status, "Reconciling")).toBeUndefined();
  expect(status.nodeID).toBe(NODE_ID);
});

test("a silent pod is told from a pod that was not asked yet", () => {
  const pods = new Map([["alpha-0", { state: "unreachable", podUid: "p", message: "is silent; do this" } as const]]);
  const status = setUp({ observed: { facts: { ...facts(), pods } } });
  const message = "the admin port of pod alpha-0 is silent; do this";
  expect(condition(status, "TrustSynced")).toMatchObject({ status: "Unknown", reason: "PodsUnreachable", message });
  expect(condition(status, "Ready")).toMatchObject({ status: "Unknown", message });
});

test("a report of an earlier pod of that name does not count", () => {
  const status = setUp({ observed: { pods: [{ name: "alpha-0", uid: "new", ready: true, trouble: "" }] } });
  expect(condition(status, "TrustSynced")).toMatchObject({ status: "Unknown", reason: "Pending" });
});

test("a hibernated node is ready for what it was asked", () => {
  const set = { ...RUNNING.statefulSet!, specReplicas: 0, replicas: 0, readyReplicas: 0, updatedReplicas: 0 };
  const status = setUp({ spec: { replicas: 0 }, observed: { statefulSet: set, pods: [] } });
  expect(condition(status, "Ready")).toMatchObject({ status: "True", reason: "Hibernated" });
});

test("fields without effect are named", () => {
  const status = setUp({ input: { notImplemented: ["spec.crawl"] } });
  expect(condition(status, "Accepted")).toMatchObject({ status: "True", reason: "NotImplementedFields" });
  expect(condition(status, "Accepted")?.message).toContain("spec.crawl");
});

test("a node that needs engines is not accepted and not ready", () => {
  const status = setUp({ spec: { coordination: { redis: { urlRef: { name: "r" } } } }, observed: { pods: [] } });
  expect(condition(status, "Accepted")).toMatchObject({ status: "False", reason: "NotImplementedEngines" });
  expect(condition(status, "Ready")?.status).toBe("False");
  expect(condition(status, "Reconciling")).toBeUndefined();
});

test("a Secret that the user has yet to make is waited for, and named before the pods that wait for it", () => {
  const message = "Secret mine, which spec.identity.secretRef names, does not exist; create it";
  const status = setUp({
    observed: {
      facts: { identity: { state: "awaited", reason: "SecretNotFound", message }, pods: new Map() },
      pods: [{ name: "alpha-0", uid: "p", ready: false, trouble: "ContainerCreating" }],
    },
  });
  expect(condition(status, "CertificateValid")).toMatchObject({ status: "False", reason: "SecretNotFound", message });
  expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: "CertificateInvalid", message });
  expect(condition(status, "Reconciling")).toMatchObject({ status: "True" });
  expect(condition(status, "Stalled")).toBeUndefined();
});

test("a node that is not ready and suspended says who has to move", () => {
  const status = setUp({ spec: { suspend: true }, observed: { statefulSet: undefined, pods: [], claims: [] } });
  expect(condition(status, "Ready")?.message).toContain("spec.suspend is true: set it to false to go on");
  expect(condition(status, "Reconciling")).toBeUndefined();
});

test("a volume with no room for anything is refused before it is made", () => {
  const status = setUp({
    spec: { storage: { size: "100Mi" } },
    observed: { statefulSet: undefined, pods: [], claims: [] },
  });
  expect(condition(status, "Stalled")).toMatchObject({ status: "True", reason: "InvalidSpec" });
  expect(condition(status, "Ready")?.message).toContain("set spec.storage.size to 512Mi or more");
  expect(condition(setUp({ spec: { storage: { size: "512Mi" } } }), "Stalled")).toBeUndefined();
});

const UNBOUND = {
  name: "data-alpha-0",
  bound: false,
  lost: false,
  requested: "10Gi",
  className: "fast",
  accessModes: ["ReadWriteOnce"],
  capacity: undefined,
};

test("a claim that is not made yet is no question of storage", () => {
  const status = setUp({ observed: { claims: [], pods: [] } });
  expect(condition(status, "StorageReady")?.message).toBe(
    "data-alpha-0 comes with its pod; see the Available condition",
  );
});

test("what is not ready for a minute is said to take long, until it is ready", () => {
  const unready = { statefulSet: { ...RUNNING.statefulSet, readyReplicas: 0 } as ObservedState["statefulSet"] };
  const first = setUp({ observed: unready });
  expect(condition(first, "Reconciling")?.reason).toBe("Progressing");
  const at = (ms: number, observed: Partial<ObservedState>) =>
    condition(setUp({ status: first, observed, input: { now: new Date(NOW.getTime() + ms) } }), "Reconciling")?.reason;
  expect([at(59_000, unready), at(60_000, unready), at(60_000, {})]).toEqual(["Progressing", "TakesLong", undefined]);
});

test("a claim that waits names the class that should make its volume", () => {
  const waiting = (spec: ArchiveNodeParts["spec"]) =>
    condition(setUp({ ...(spec === undefined ? {} : { spec }), observed: { claims: [UNBOUND] } }), "StorageReady")
      ?.message;
  expect(waiting({ storage: { className: "fast" } })).toMatch(
    /StorageClass fast exists.*kubectl describe pvc data-alpha-0/,
  );
  expect(waiting(undefined)).toContain("a default StorageClass");
});

test("a recovery key that is still in the cluster is mentioned without making anything False", () => {
  const status = setUp({ observed: { recoveryKeyInCluster: true } });
  expect(condition(status, "CertificateValid")?.status).toBe("True");
  expect(condition(status, "CertificateValid")?.message).toContain("save it outside the cluster, then delete that");
  expect(condition(status, "Ready")?.status).toBe("True");
  expect(condition(setUp(), "CertificateValid")?.message).not.toContain("recovery");
});

test.each([
  ["a running node", 1, /kubectl describe pvc data-alpha-0/],
  ["a hibernated node", 0, /raise spec\.replicas/],
])("of a volume that grows, %s says what to look at", (_what, replicas, message) => {
  const growth = { step: "await-capacity", claims: ["data-alpha-0"] } as const;
  const status = setUp({ spec: { replicas, storage: { size: "20Gi" } }, input: { growth } });
  expect(condition(status, "StorageReady")).toMatchObject({ status: "False", reason: "Resizing" });
  expect(condition(status, "StorageReady")?.message).toMatch(message);
});
