/**
 * Every cache the controllers read: our kinds whole, children by our label, Secrets and ConfigMaps by metadata alone.
 *
 * Several watched namespaces mean several reflectors of a kind behind one read interface.
 */
import { type ArchiveNode, type FederationPeer, LABELS, type SyncPolicy } from "@archivestream/crds";
import type { KubeObject, ObjectKey, ResourceType } from "../kube/objects.ts";
import { createReflector, type Reflector, type ReflectorOptions } from "../runtime/reflector.ts";
import { SharedParts, type Transform, transformAtTheDoor } from "../runtime/transforms.ts";
import type { ClaimObject, PodObject, StatefulSetObject } from "./archive-node/observe.ts";
import { type KnownKind, RESOURCES } from "./resource-types.ts";

export interface KindCache<T extends KubeObject> {
  readonly metadataOnly: boolean;
  /** False while the cluster does not have the kind, or it may not be read. */
  readonly isServed: boolean;
  get(key: ObjectKey): T | undefined;
  list(): readonly T[];
}

export interface Caches {
  readonly archiveNodes: KindCache<ArchiveNode & KubeObject>;
  readonly federationPeers: KindCache<FederationPeer & KubeObject>;
  readonly syncPolicies: KindCache<SyncPolicy & KubeObject>;
  readonly statefulSets: KindCache<StatefulSetObject>;
  readonly claims: KindCache<ClaimObject>;
  readonly pods: KindCache<PodObject>;
  readonly secrets: KindCache<KubeObject>;
  readonly configMaps: KindCache<KubeObject>;
  /** By kind, for whoever applies children. */
  readonly of: (kind: string) => KindCache<KubeObject> | undefined;
  /** One per namespace, for the manager. */
  readonly reflectorsOf: (kind: KnownKind) => readonly Reflector<KubeObject>[];
  readonly reflectors: readonly Reflector<KubeObject>[];
}

export type CacheOptions = Omit<
  ReflectorOptions,
  "resource" | "namespace" | "labelSelector" | "fieldSelector" | "metadataOnly" | "optional"
> & {
  /** Empty means all. */
  readonly namespaces: readonly string[];
};

/** Two parts for each of 10,000 ArchiveNodes. */
const SHARED_PARTS = 20_000;

const CHILDREN = { labelSelector: LABELS.node } as const;
const METADATA = { ...CHILDREN, metadataOnly: true } as const;

export function createCaches(options: CacheOptions): Caches {
  const reflectors: Reflector<KubeObject>[] = [];
  const caches = new Map<string, KindCache<KubeObject>>();
  const parts = new SharedParts(SHARED_PARTS);
  const transform: Transform = (object) => parts.transform(transformAtTheDoor(object));
  const cacheOf = <T extends KubeObject>(kind: KnownKind, scope: Partial<ReflectorOptions>): KindCache<T> => {
    const { namespaces, ...rest } = options;
    const parts = (namespaces.length === 0 ? [undefined] : namespaces).map((namespace) =>
      createReflector<T>({ transform, ...rest, ...scope, resource: RESOURCES[kind], namespace }),
    );
    const cache = unite(RESOURCES[kind], parts);
    // The interface only reads, so a narrower type of object is as good.
    reflectors.push(...(parts as unknown as Reflector<KubeObject>[]));
    caches.set(kind, cache as unknown as KindCache<KubeObject>);
    return cache;
  };
  for (const kind of ["Service", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy"] as const)
    cacheOf(kind, CHILDREN);
  cacheOf("ServiceMonitor", { ...CHILDREN, optional: true });
  return {
    archiveNodes: cacheOf("ArchiveNode", {}),
    federationPeers: cacheOf("FederationPeer", {}),
    syncPolicies: cacheOf("SyncPolicy", {}),
    statefulSets: cacheOf("StatefulSet", CHILDREN),
    claims: cacheOf("PersistentVolumeClaim", CHILDREN),
    pods: cacheOf("Pod", { ...CHILDREN, transform: (pod) => transform(withoutSpec(pod)) }),
    secrets: cacheOf("Secret", METADATA),
    configMaps: cacheOf("ConfigMap", METADATA),
    of: (kind) => caches.get(kind),
    reflectorsOf: (kind) => reflectors.filter((reflector) => reflector.resource.kind === kind),
    reflectors,
  };
}

/** Of a pod only its state is looked at; what it was made from is in its StatefulSet. */
function withoutSpec<T extends KubeObject>(pod: T): T {
  const { spec: _dropped, ...rest } = pod as T & { readonly spec?: unknown };
  return rest as T; // no reader of pods knows a spec
}

function unite<T extends KubeObject>(resource: ResourceType, parts: readonly Reflector<T>[]): KindCache<T> {
  return {
    metadataOnly: parts[0]?.metadataOnly ?? false,
    get isServed() {
      return parts.some((part) => part.cache.hasSynced && part.state !== "absent" && part.state !== "forbidden");
    },
    get: (key) => {
      if (resource.namespaced && parts.length === 1) return parts[0]?.cache.get(key);
      return parts.map((part) => part.cache.get(key)).find((object) => object !== undefined);
    },
    list: () => parts.flatMap((part) => part.cache.list()),
  };
}
