/** Wires the discovery of peers: what pods report wakes the object that it is about. Part of the composition root. */
import { type FederationPeer, FIELD_MANAGERS } from "@archivestream/crds";
import type { ControllersDeps, Recheck } from "./compose-deps.ts";
import { CreationBudget } from "./controllers/discovery/budget.ts";
import { createDiscoveryReconciler } from "./controllers/discovery/reconciler.ts";
import { type DiscoveryView, discoveredName, isAccepted, type StoredPeer } from "./controllers/discovery/wanted.ts";
import type { FederationReports } from "./controllers/federation-facts.ts";
import type { Neighbourhoods } from "./controllers/neighbourhoods.ts";
import { keyText, type ObjectKey } from "./controllers/objects.ts";
import { type KnownKind, RESOURCES } from "./controllers/resource-types.ts";
import { nodeSources } from "./controllers/watches.ts";
import type { KubeObject } from "./kube/objects.ts";
import type { Controller } from "./runtime/controller.ts";
import { type BoundSource, source } from "./runtime/manager.ts";
import { anyOf, labelsChanged, specChanged } from "./runtime/predicates.ts";

export interface DiscoveryParts {
  readonly deps: ControllersDeps;
  readonly neighbourhoods: Neighbourhoods;
  readonly reports: (node: string) => readonly FederationReports[];
  readonly add: (name: string, kind: KnownKind, reconcile: Recheck, sources: readonly BoundSource[]) => Controller;
  readonly now: () => Date;
}

const RESOURCE = RESOURCES.FederationPeer;

/** @returns what to call when pods of a namespace report other discoveries */
export function addDiscovery({ deps, neighbourhoods, reports, add, now }: DiscoveryParts): (namespace: string) => void {
  const { caches, client, resyncMs } = deps;
  const reportedIn = (namespace: string) =>
    neighbourhoods
      .nodes(namespace)
      .flatMap(({ metadata }) => reports(keyText(metadata)))
      .flatMap(({ discoveries }) => discoveries?.discoveries.map(({ nodeID }) => nodeID) ?? []);
  const discovered = (namespace: string) =>
    caches.federationPeers
      .list()
      .filter(({ metadata, spec }) => metadata.namespace === namespace && spec.origin === "Discovered");
  const keysIn = (namespace: string): ObjectKey[] => {
    const names = [
      ...reportedIn(namespace).map(discoveredName),
      ...discovered(namespace).map(({ metadata }) => metadata.name),
    ];
    return [...new Set(names)].map((name) => ({ namespace, name }));
  };
  const view = (key: ObjectKey): DiscoveryView | undefined => {
    const stored = caches.federationPeers.get(key) as StoredPeer | undefined;
    const nodeID = stored?.spec.nodeID ?? reportedIn(key.namespace).find((one) => discoveredName(one) === key.name);
    if (nodeID === undefined) return undefined;
    const { peers } = neighbourhoods.of(key.namespace);
    const nodes = neighbourhoods.nodes(key.namespace);
    const witnesses = nodes.map((node) => ({ node, reports: reports(keyText(node.metadata)) }));
    return { nodeID, namespace: key.namespace, witnesses, peers, stored };
  };
  const controller = add(
    "discovery",
    "FederationPeer",
    createDiscoveryReconciler({
      view,
      owned: ({ metadata: { namespace, uid } }) =>
        discovered(namespace).filter((peer) =>
          (peer as StoredPeer).metadata.ownerReferences?.some((owner) => owner.uid === uid),
        ).length,
      apply: async (object, stored, signal) => {
        const uid = stored?.metadata.uid;
        const metadata = uid === undefined ? object.metadata : { ...object.metadata, uid };
        const options = {
          contentType: "application/apply-patch+yaml",
          fieldManager: FIELD_MANAGERS.discovery,
        } as const;
        const target = { resource: RESOURCE, key: object.metadata };
        await client.patch(target, { ...object, metadata }, { ...options, force: true }, signal);
      },
      remove: async ({ metadata }, signal) => {
        const { uid, resourceVersion } = metadata;
        await client.delete({ resource: RESOURCE, key: metadata }, { uid, resourceVersion }, signal);
      },
      budget: new CreationBudget(),
      now,
    }),
    [
      ...peerSources(deps, keysIn, resyncMs),
      ...settingSources(deps, keysIn),
      ...nodeSources(caches, "identity", keysIn),
    ],
  );
  return (namespace) => {
    for (const key of keysIn(namespace)) controller.enqueue(key, 0);
  };
}

type KeysIn = (namespace: string) => readonly ObjectKey[];

/** An object wakes the discovered one of the same archive. */
function peerSources({ caches }: ControllersDeps, keysIn: KeysIn, resyncMs: number): readonly BoundSource[] {
  const keysOf = (object: KubeObject) => {
    const { metadata, spec } = object as KubeObject & FederationPeer;
    if (spec.nodeID === undefined) return keysIn(metadata.namespace);
    return [{ namespace: metadata.namespace, name: discoveredName(spec.nodeID) }];
  };
  const accepted = (object: KubeObject) => isAccepted(object as KubeObject & FederationPeer);
  const owners = (object: KubeObject) => JSON.stringify(object.metadata.ownerReferences);
  const predicate = anyOf<KubeObject>(
    (change) =>
      change.type !== "updated" ||
      accepted(change.object) !== accepted(change.previous) ||
      owners(change.object) !== owners(change.previous),
    specChanged,
    labelsChanged,
  );
  return caches.reflectorsOf("FederationPeer").map((reflector) => source({ reflector, keysOf, predicate, resyncMs }));
}

/** `spec.discovery` of a node. */
function settingSources({ caches }: ControllersDeps, keysIn: KeysIn): readonly BoundSource[] {
  const keysOf = ({ metadata }: KubeObject) => keysIn(metadata.namespace ?? "");
  return caches.reflectorsOf("ArchiveNode").map((reflector) => source({ reflector, keysOf, predicate: specChanged }));
}
