/** The StatefulSet of a node. Selector, service name and claim templates never change once it exists. */
import { childNames, DATA_VOLUME } from "../../names.ts";
import type { EffectiveNode } from "../effective.ts";
import type { ClaimTemplate } from "../observed.ts";
import { type Child, childMetadata, podSelector } from "./metadata.ts";
import { podTemplate } from "./pod-template.ts";

/** Old revisions kept for `kubectl rollout undo`. */
const REVISION_HISTORY = 5;

export interface StatefulSetInput {
  readonly node: EffectiveNode;
  /** Digest of the configuration file: in the pod's annotations, because a node reads that file only at start. */
  readonly configDigest: string;
  /** What to run, which is less than asked for when the node needs engines that cannot be run yet. */
  readonly replicas: number;
  /** The one that is already stored, while a StatefulSet stands. */
  readonly claim: ClaimTemplate;
}

export function statefulSet(input: StatefulSetInput): Child {
  const { node } = input;
  const { updateStrategy, minReadySeconds } = node;
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: childMetadata(node, childNames(node.name).statefulSet),
    spec: {
      replicas: input.replicas,
      serviceName: childNames(node.name).headlessService,
      selector: { matchLabels: podSelector(node.name) },
      podManagementPolicy: "Parallel",
      revisionHistoryLimit: REVISION_HISTORY,
      minReadySeconds,
      updateStrategy: { type: updateStrategy },
      // Whatever the spec says: `retention: Delete` is carried out by what the spec said last (departures.ts).
      persistentVolumeClaimRetentionPolicy: { whenScaled: "Retain", whenDeleted: "Retain" },
      template: podTemplate(node, input.configDigest),
      volumeClaimTemplates: [claimTemplate(node, input.claim)],
    },
  };
}

function claimTemplate(node: EffectiveNode, { size, className, accessMode }: ClaimTemplate) {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: DATA_VOLUME, labels: podSelector(node.name) },
    spec: {
      accessModes: [accessMode],
      resources: { requests: { storage: size } },
      ...(className === undefined ? {} : { storageClassName: className }),
    },
  };
}
