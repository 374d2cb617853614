/** What wakes the controllers: changes of our kinds, and of every child by the label that names its ArchiveNode. */
import { type ArchiveNode, GROUP, LABELS } from "@archivestream/crds";
import type { KubeObject, ObjectKey } from "../kube/objects.ts";
import { type BoundSource, source } from "../runtime/manager.ts";
import { annotationsChanged, anyOf, labelsChanged, specChanged } from "../runtime/predicates.ts";
import type { Caches } from "./caches.ts";
import { childNames } from "./names.ts";
import type { KnownKind } from "./resource-types.ts";

const CHILD_KINDS = [
  "Secret",
  "ConfigMap",
  "Service",
  "ServiceAccount",
  "Pod",
  "PersistentVolumeClaim",
  "StatefulSet",
  "PodDisruptionBudget",
  "NetworkPolicy",
  "ServiceMonitor",
] as const satisfies readonly KnownKind[];

/** A user's change comes before anything the operator observes. */
const USER_PRIORITY = 100;

/** Own spec and annotations, and a look at every object each `resyncMs`. */
export function ownSources(caches: Caches, kind: KnownKind, resyncMs: number): readonly BoundSource[] {
  const predicate = anyOf(specChanged, labelsChanged, annotationsChanged(`${GROUP}/`));
  return caches
    .reflectorsOf(kind)
    .map((reflector) => source({ reflector, predicate, priority: USER_PRIORITY, resyncMs }));
}

/** Objects of one of our kinds that concern others of their namespace: a change of what is asked, or of labels. */
export function concernedSources(
  caches: Caches,
  kind: KnownKind,
  concerned: (object: KubeObject) => readonly ObjectKey[],
): readonly BoundSource[] {
  const predicate = anyOf(specChanged, labelsChanged);
  return caches.reflectorsOf(kind).map((reflector) => source({ reflector, keysOf: concerned, predicate }));
}

/**
 * What others see of an ArchiveNode: that it is there, its labels, who it is, where it answers and, for those that wait
 * for `progress`, what its pods have taken. Its other news concern nobody else.
 */
export function nodeSources(
  caches: Caches,
  follow: "identity" | "progress",
  concerned: (namespace: string) => readonly ObjectKey[],
): readonly BoundSource[] {
  const keysOf = ({ metadata }: KubeObject) => concerned(metadata.namespace ?? "");
  const shown = (object: KubeObject) => {
    const { spec, status } = object as KubeObject & ArchiveNode;
    const identity = [spec.endpoint?.advertised, status?.nodeID];
    const taken = [status?.trust?.observedSequence, status?.federation?.observedConfigSequence];
    return JSON.stringify(follow === "identity" ? identity : [...identity, ...taken]);
  };
  const predicate = anyOf<KubeObject>(
    (change) => change.type !== "updated" || shown(change.object) !== shown(change.previous),
    labelsChanged,
  );
  return caches.reflectorsOf("ArchiveNode").map((reflector) => source({ reflector, keysOf, predicate }));
}

export function childSources(caches: Caches): readonly BoundSource[] {
  return CHILD_KINDS.flatMap((kind) => caches.reflectorsOf(kind)).map((reflector) =>
    source({ reflector, keysOf: nodeOf }),
  );
}

/** The Secrets with a node's keys, and nothing else of it. */
export function keySources(caches: Caches): readonly BoundSource[] {
  const keysOf = (object: KubeObject) => nodeOf(object).filter((node) => isKeySecret(node.name, object.metadata.name));
  return caches.reflectorsOf("Secret").map((reflector) => source({ reflector, keysOf }));
}

function nodeOf(object: KubeObject): readonly ObjectKey[] {
  const name = object.metadata.labels?.[LABELS.node];
  return name === undefined ? [] : [{ namespace: object.metadata.namespace, name }];
}

function isKeySecret(node: string, secret: string): boolean {
  const { identity, recovery, keys, adminTls, access } = childNames(node);
  return [identity, recovery, keys, adminTls, access].includes(secret);
}
