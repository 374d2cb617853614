/** Wires the discovery of peers: what pods report wakes the object that it is about. Part of the composition root. */
import { type FederationPeer, FIELD_MANAGERS } from "@archivestream/crds";
import type { AdminDiscoveries } from "@archivestream/node/contract";
import type { ControllersDeps, Recheck } from "./compose-deps.ts";
import type { Allotments } from "./controllers/discovery/allotments.ts";
import { CREATIONS, DELETIONS, UPDATES, WriteBudget } from "./controllers/discovery/budget.ts";
import { createDiscoveryReconciler, type DiscoveryDeps } from "./controllers/discovery/reconciler.ts";
import { Silence } from "./controllers/discovery/silence.ts";
import {
  type DiscoveryView,
  discoveredName,
  idsByName,
  isAccepted,
  type StoredPeer,
} from "./controllers/discovery/wanted.ts";
import type { FederationReports } from "./controllers/federation-facts.ts";
import type { Neighbourhoods } from "./controllers/neighbourhoods.ts";
import { keyText, type ObjectKey } from "./controllers/objects.ts";
import { type KnownKind, RESOURCES } from "./controllers/resource-types.ts";
import { nodeSources } from "./controllers/watches.ts";
import type { KubeObject } from "./kube/objects.ts";
import type { Controller } from "./runtime/controller.ts";
import { type BoundSource, source } from "./runtime/manager.ts";
import { anyOf, labelsChanged, type Predicate, specChanged } from "./runtime/predicates.ts";

export interface DiscoveryParts {
  readonly deps: ControllersDeps;
  readonly neighbourhoods: Neighbourhoods;
  readonly reports: (node: string) => readonly FederationReports[];
  readonly allotments: Allotments;
  readonly add: (name: string, kind: KnownKind, reconcile: Recheck, sources: readonly BoundSource[]) => Controller;
}

const RESOURCE = RESOURCES.FederationPeer;

/** @returns what to call when pods of a namespace report other discoveries */
export function addDiscovery(parts: DiscoveryParts): (namespace: string) => void {
  const { deps, neighbourhoods, reports, allotments, add } = parts;
  const { caches, clock, resyncMs } = deps;
  const pagesIn = (namespace: string) =>
    neighbourhoods
      .nodes(namespace)
      .flatMap(({ metadata }) => reports(keyText(metadata)))
      .flatMap(({ discoveries }) => discoveries ?? []);
  const reportedIn = (namespace: string) => pagesIn(namespace).flatMap((page) => [...idsByName(page).keys()]);
  const discovered = (namespace: string) =>
    caches.federationPeers
      .list()
      .filter(({ metadata, spec }) => metadata.namespace === namespace && spec.origin === "Discovered");
  const keysIn = (namespace: string): ObjectKey[] => {
    const names = discovered(namespace).map(({ metadata }) => metadata.name);
    return keysOf(namespace, [...reportedIn(namespace), ...names]);
  };
  const view = (key: ObjectKey): DiscoveryView | undefined => {
    const stored = caches.federationPeers.get(key) as StoredPeer | undefined;
    const nodeID = stored?.spec.nodeID ?? reportedAs(pagesIn(key.namespace), key.name);
    if (nodeID === undefined) return undefined;
    const peers = neighbourhoods.sameArchive(key.namespace, nodeID);
    const witnesses = neighbourhoods.nodes(key.namespace).map((node) => ({
      ...{ node, reports: reports(keyText(node.metadata)), allotment: allotments.of(node) },
    }));
    return { nodeID, namespace: key.namespace, witnesses, peers, stored };
  };
  const controller = add(
    "discovery",
    "FederationPeer",
    createDiscoveryReconciler({
      view,
      ...writers(parts),
      budgets: {
        create: new WriteBudget(CREATIONS),
        update: new WriteBudget(UPDATES),
        delete: new WriteBudget(DELETIONS),
      },
      silence: new Silence(),
      nowMs: () => clock.monotonicMs(),
    }),
    [
      ...peerSources(deps, keysIn, resyncMs),
      ...roomSources(deps, (namespace) =>
        keysOf(namespace, reportedIn(namespace)).filter((key) => caches.federationPeers.get(key) === undefined),
      ),
      ...settingSources(deps, keysIn),
      ...nodeSources(caches, "identity", keysIn),
    ],
  );
  return (namespace) => {
    for (const key of keysIn(namespace)) controller.enqueue(key, 0);
  };
}

/** Node id of the peer whose object has this name. */
function reportedAs(pages: readonly AdminDiscoveries[], name: string): string | undefined {
  for (const page of pages) {
    const nodeID = idsByName(page).get(name);
    if (nodeID !== undefined) return nodeID;
  }
  return undefined;
}

function writers({ deps: { client }, allotments }: DiscoveryParts): Pick<DiscoveryDeps, "apply" | "remove"> {
  const options = {
    contentType: "application/apply-patch+yaml",
    fieldManager: FIELD_MANAGERS.discovery,
    force: true,
  } as const;
  return {
    apply: async (object, stored, signal) => {
      const uid = stored?.metadata.uid;
      const metadata = uid === undefined ? object.metadata : { ...object.metadata, uid };
      // Before it is: nobody else may take the same place meanwhile.
      if (stored === undefined) allotments.created(object);
      await client.patch({ resource: RESOURCE, key: object.metadata }, { ...object, metadata }, options, signal);
    },
    remove: async ({ metadata }, signal) => {
      const { uid, resourceVersion } = metadata;
      await client.delete({ resource: RESOURCE, key: metadata }, { uid, resourceVersion }, signal);
    },
  };
}

function keysOf(namespace: string, names: readonly string[]): ObjectKey[] {
  return [...new Set(names)].map((name) => ({ namespace, name }));
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
  const predicate = anyOf<KubeObject>(
    (change) =>
      change.type !== "updated" ||
      accepted(change.object) !== accepted(change.previous) ||
      ownersOf(change.object) !== ownersOf(change.previous),
    specChanged,
    labelsChanged,
  );
  return caches.reflectorsOf("FederationPeer").map((reflector) => source({ reflector, keysOf, predicate, resyncMs }));
}

/** An object that a node owns no more leaves room for another one. */
function roomSources({ caches }: ControllersDeps, waitingIn: KeysIn): readonly BoundSource[] {
  const keysOf = ({ metadata }: KubeObject) => waitingIn(metadata.namespace ?? "");
  const predicate: Predicate<KubeObject> = (change) =>
    change.type === "deleted" || (change.type === "updated" && ownersOf(change.object) !== ownersOf(change.previous));
  return caches.reflectorsOf("FederationPeer").map((reflector) => source({ reflector, keysOf, predicate }));
}

function ownersOf({ metadata }: KubeObject): string {
  return JSON.stringify(metadata.ownerReferences ?? []);
}

/** `spec.discovery` of a node. */
function settingSources({ caches }: ControllersDeps, keysIn: KeysIn): readonly BoundSource[] {
  const keysOf = ({ metadata }: KubeObject) => keysIn(metadata.namespace ?? "");
  return caches.reflectorsOf("ArchiveNode").map((reflector) => source({ reflector, keysOf, predicate: specChanged }));
}
