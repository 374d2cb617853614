/** Reads the children of an ArchiveNode from the caches into the few fields that decisions are made from. */
import type { ArchiveNode } from "@archivestream/crds";
import type { KubeObject } from "../../kube/objects.ts";
import type { NodeFacts } from "../facts.ts";
import { childNames, DATA_VOLUME, podName } from "../names.ts";
import { keyText, type ObjectKey } from "../objects.ts";
import type { StoredDocuments } from "./documents.ts";
import type {
  ClaimTemplate,
  LeavingClaim,
  LeavingPod,
  ObservedClaim,
  ObservedPod,
  ObservedState,
  ObservedStatefulSet,
} from "./observed.ts";
import { DOCUMENT_ANNOTATION } from "./resources/annotations.ts";
import { type PodStatus, troubleOf } from "./trouble.ts";

/** Highest number of pods a node can have; pods and claims are found by their names. */
export const MAX_REPLICAS = 32;

export interface Cached<T> {
  get(key: ObjectKey): T | undefined;
}

export interface NodeCaches {
  readonly statefulSets: Cached<StatefulSetObject>;
  readonly claims: Cached<ClaimObject>;
  readonly pods: Cached<PodObject>;
  /** Metadata only. */
  readonly secrets: Cached<KubeObject>;
  readonly configMaps: Cached<KubeObject>;
  readonly facts: (node: string) => NodeFacts;
  readonly serviceMonitorExists: () => boolean;
}

export interface StatefulSetObject extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly volumeClaimTemplates?: readonly { readonly spec: ClaimSpec }[];
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
  };
}

export interface ClaimObject extends KubeObject {
  readonly spec: ClaimSpec & { readonly volumeName?: string };
  readonly status?: { readonly phase?: string; readonly capacity?: { readonly storage?: string } };
}

export interface PodObject extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: PodStatus & { readonly podIP?: string };
}

interface ClaimSpec {
  readonly accessModes?: readonly string[];
  readonly storageClassName?: string;
  readonly resources?: { readonly requests?: { readonly storage?: string } };
}

export function observe(node: ArchiveNode, caches: NodeCaches): ObservedState {
  const { name, namespace } = node.metadata;
  const statefulSet = caches.statefulSets.get({ namespace, name: childNames(name).statefulSet });
  const ordinals = Array.from({ length: MAX_REPLICAS }, (_, ordinal) => podName(name, ordinal));
  const claims = ordinals.flatMap((pod) => caches.claims.get({ namespace, name: `${DATA_VOLUME}-${pod}` }) ?? []);
  const pods = ordinals.flatMap((pod) => caches.pods.get({ namespace, name: pod }) ?? []);
  return {
    statefulSet: statefulSet === undefined ? undefined : observedStatefulSet(statefulSet),
    claims: claims.flatMap(observedClaim),
    leavingClaims: claims.flatMap(leavingClaim),
    pods: pods.flatMap(observedPod),
    leavingPods: pods.flatMap(leavingPod),
    facts: caches.facts(keyText({ namespace, name })),
    recoveryKeyInCluster: caches.secrets.get({ namespace, name: childNames(name).recovery }) !== undefined,
    serviceMonitorExists: caches.serviceMonitorExists(),
  };
}

function observedStatefulSet(object: StatefulSetObject): ObservedStatefulSet {
  const { metadata, spec, status } = object;
  return {
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    terminating: metadata.deletionTimestamp !== undefined,
    claim: claimTemplate(spec.volumeClaimTemplates?.[0]?.spec ?? {}),
    upToDate: status?.observedGeneration === metadata.generation,
    replicas: status?.replicas ?? 0,
    readyReplicas: status?.readyReplicas ?? 0,
    updatedReplicas: status?.updatedReplicas ?? 0,
  };
}

function claimTemplate({ accessModes, storageClassName, resources }: ClaimSpec): ClaimTemplate {
  return {
    size: resources?.requests?.storage ?? "0",
    className: storageClassName,
    accessMode: accessModes?.[0] ?? "",
  };
}

function observedClaim(object: ClaimObject): ObservedClaim[] {
  if (object.metadata.deletionTimestamp !== undefined) return [];
  return [
    {
      name: object.metadata.name,
      bound: object.status?.phase === "Bound",
      lost: object.status?.phase === "Lost",
      requested: object.spec.resources?.requests?.storage ?? "0",
      className: object.spec.storageClassName,
      accessModes: object.spec.accessModes ?? [],
      capacity: object.status?.capacity?.storage,
    },
  ];
}

function leavingClaim({ metadata, spec }: ClaimObject): LeavingClaim[] {
  return metadata.deletionTimestamp === undefined ? [] : [{ name: metadata.name, volume: spec.volumeName }];
}

function observedPod({ metadata, status = {} }: PodObject): ObservedPod[] {
  if (metadata.deletionTimestamp !== undefined) return [];
  const isReady = (condition: { readonly type: string; readonly status: string }) =>
    condition.type === "Ready" && condition.status === "True";
  return [
    {
      name: metadata.name,
      uid: metadata.uid ?? "",
      ready: status.conditions?.some(isReady) ?? false,
      createdAt: metadata.creationTimestamp ?? "",
      restarted: status.containerStatuses?.some(({ restartCount = 0 }) => restartCount > 0) ?? false,
      trouble: troubleOf(status, metadata.name),
    },
  ];
}

function leavingPod({ metadata, spec }: PodObject): LeavingPod[] {
  const { name, deletionTimestamp, finalizers = [] } = metadata;
  return deletionTimestamp === undefined
    ? []
    : [{ name, endsBefore: deletionTimestamp, finalizers, machine: spec?.nodeName }];
}

export function storedDocuments(node: ArchiveNode, caches: NodeCaches): StoredDocuments {
  const { name, namespace } = node.metadata;
  const names = childNames(name);
  const annotation = (cache: Cached<KubeObject>, child: string) =>
    cache.get({ namespace, name: child })?.metadata.annotations?.[DOCUMENT_ANNOTATION];
  return {
    trust: annotation(caches.secrets, names.trust),
    federation: annotation(caches.configMaps, names.federation),
    trustFloor: node.status?.trust?.sequence ?? 0,
    federationFloor: node.status?.federation?.configSequence ?? 0,
  };
}
