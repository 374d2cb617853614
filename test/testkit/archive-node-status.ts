/** What the operator sees of an ArchiveNode whose one pod runs with everything, but for what a test says is different. */
import type { ArchiveNodeConditionType, ArchiveNodeStatus } from "@archivestream/crds";
import type { AdminStatus } from "@archivestream/node/contract";
import type { ConditionInput } from "../../operator/src/controllers/archive-node/conditions.ts";
import { effectiveNode } from "../../operator/src/controllers/archive-node/effective.ts";
import type { ObservedPod, ObservedState } from "../../operator/src/controllers/archive-node/observed.ts";
import { archiveNodeStatus } from "../../operator/src/controllers/archive-node/status.ts";
import type { NodeFacts } from "../../operator/src/controllers/facts.ts";
import { type ArchiveNodeParts, archiveNode } from "./archive-node-builder.ts";

export const NOW = new Date("2026-11-24T00:00:00.500Z");
export const NODE_ID = "ab".repeat(32);
const DIGEST = `sha256:${"cd".repeat(32)}`;
export const SETTINGS = {
  nodeRepository: "example.test/archive-node",
  nodeVersion: "1.2.3",
  nodePullPolicy: "IfNotPresent",
  operatorNamespace: "archive-operator",
  operatorPodLabels: { "app.kubernetes.io/name": "archive-operator" },
};
/** Of a pod that has everything. */
export const ANSWER: AdminStatus = {
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

export function facts(answer: Partial<AdminStatus> = {}): NodeFacts {
  return {
    identity: { state: "present", nodeID: NODE_ID, certificate: CERTIFICATE },
    pods: new Map([["alpha-0", { state: "answered", podUid: "p", status: { ...ANSWER, ...answer } }]]),
  };
}

/** Of a node that was just created. */
export const NOTHING: ObservedState = {
  statefulSet: undefined,
  claims: [],
  leavingClaims: [],
  pods: [],
  leavingPods: [],
  facts: { pods: new Map() },
  recoveryKeyInCluster: false,
  serviceMonitorExists: false,
};

export const POD: ObservedPod = {
  ...{ name: "alpha-0", uid: "p", ready: true, trouble: "" },
  ...{ createdAt: "2026-11-23T00:00:00Z", restarted: false },
};

export const RUNNING: ObservedState = {
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
  leavingClaims: [],
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
  pods: [POD],
  leavingPods: [],
  facts: facts(),
  recoveryKeyInCluster: false,
  serviceMonitorExists: false,
};

export interface StatusParts extends ArchiveNodeParts {
  readonly observed?: Partial<ObservedState>;
  readonly input?: Partial<ConditionInput>;
}

export function statusOf({ observed, input, ...parts }: StatusParts = {}): ArchiveNodeStatus {
  const object = archiveNode(parts);
  return archiveNodeStatus(object, {
    node: effectiveNode(object, SETTINGS),
    notImplemented: [],
    observed: { ...RUNNING, ...observed },
    documents: {
      trust: { ...DOCUMENT, entries: 0, members: new Map() },
      federation: { ...DOCUMENT, members: new Map() },
      configText: "{}",
      configDigest: DIGEST,
    },
    growth: { step: "none" },
    blocked: undefined,
    now: NOW,
    ...input,
  });
}

export function condition(status: ArchiveNodeStatus, type: ArchiveNodeConditionType) {
  return status.conditions?.find((one) => one.type === type);
}
