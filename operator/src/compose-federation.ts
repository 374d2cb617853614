/**
 * Wires peers and policies: who is woken by what, and what each controller is shown. Part of the composition root.
 */
import type { ArchiveNode, FederationPeer, SyncPolicy } from "@archivestream/crds";
import type { ControllersDeps, Recheck } from "./compose-deps.ts";
import { addDiscovery } from "./compose-discovery.ts";
import { orPutOff, statusWriter } from "./compose-status.ts";
import type { DocumentIssuer } from "./controllers/archive-node/documents.ts";
import type { PeeringInput } from "./controllers/archive-node/peering.ts";
import { Allotments } from "./controllers/discovery/allotments.ts";
import type { FactBoard } from "./controllers/facts.ts";
import { isKnownByAddress, nodeFederation } from "./controllers/federation-content.ts";
import { FederationBoard, type FederationReports } from "./controllers/federation-facts.ts";
import { createFederationPeerReconciler } from "./controllers/federation-peer/reconciler.ts";
import { viewOf } from "./controllers/federation-peer/view.ts";
import { Neighbourhoods } from "./controllers/neighbourhoods.ts";
import type { SecretWatch } from "./controllers/node-identity/secret-watch.ts";
import { keyText, type ObjectKey, type SecretObject } from "./controllers/objects.ts";
import { changedPeers } from "./controllers/report-index.ts";
import type { KnownKind } from "./controllers/resource-types.ts";
import { createSyncPolicyReconciler } from "./controllers/sync-policy/reconciler.ts";
import { type PolicyViewInput, policyViewOf } from "./controllers/sync-policy/view.ts";
import { AllowLists } from "./controllers/trust/allow-lists.ts";
import { concernedSources, nodeSources, ownSources } from "./controllers/watches.ts";
import type { KubeObject } from "./kube/objects.ts";
import type { Controller } from "./runtime/controller.ts";
import type { BoundSource } from "./runtime/manager.ts";

export interface FederationDeps {
  readonly deps: ControllersDeps;
  readonly facts: FactBoard;
  readonly issuer: DocumentIssuer;
  readonly watch: SecretWatch;
  readonly readSecret: (key: ObjectKey, signal: AbortSignal) => Promise<SecretObject | undefined>;
  readonly isOurs: (node: ArchiveNode) => boolean;
  readonly wakeNode: (node: string) => void;
  readonly add: (name: string, kind: KnownKind, reconcile: Recheck, sources: readonly BoundSource[]) => Controller;
  readonly now: () => Date;
}

export interface Federation {
  readonly board: FederationBoard;
  /** What wakes ArchiveNodes beside their own changes. */
  readonly nodeSources: readonly BoundSource[];
  readonly peering: (node: ArchiveNode, signal: AbortSignal) => Promise<PeeringInput>;
  readonly hasPeering: (node: string) => boolean;
  /** Facts of this node changed: wakes the peers and policies that it concerns. */
  readonly wakeAround: (node: string) => void;
  readonly forget: (node: ObjectKey) => void;
}

export function addFederation(parts: FederationDeps): Federation {
  const { deps, facts, issuer } = parts;
  const { caches } = deps;
  const neighbourhoods = new Neighbourhoods(caches, parts.isOurs);
  const allowLists = new AllowLists({ read: parts.readSecret, watch: parts.watch });
  const keysIn = (objects: readonly (FederationPeer | SyncPolicy)[], namespace: string): ObjectKey[] =>
    objects.filter(({ metadata }) => metadata.namespace === namespace).map(({ metadata }) => metadata);
  const peersIn = (namespace: string) => keysIn(caches.federationPeers.list(), namespace);
  const policiesIn = (namespace: string) => keysIn(caches.syncPolicies.list(), namespace);
  const nodesIn = (namespace: string) => neighbourhoods.nodes(namespace).map(({ metadata }) => metadata);
  const board = new FederationBoard((node, page, now, before) => {
    parts.wakeNode(node);
    const [namespace = ""] = node.split("/");
    if (page === "peers") for (const key of toldOf(neighbourhoods, namespace, now, before)) peers.enqueue(key, 0);
    if (page === "policies") for (const key of policiesIn(namespace)) policies.enqueue(key, 0);
    if (page === "discoveries") discover(namespace);
  });
  const view = (namespace: string) => ({
    neighbourhood: neighbourhoods.of(namespace),
    nodes: neighbourhoods.nodes(namespace),
    facts: (node: string) => facts.of(node),
    reports: (node: string) => board.of(node),
    issued: (uid: string) => issuer.issued(uid),
  });
  const reports = (node: string) => board.of(node);
  const nowMs = () => deps.clock.monotonicMs();
  const allotments = new Allotments({ neighbourhood: (namespace) => neighbourhoods.of(namespace), reports, nowMs });
  const discover = addDiscovery({ deps, neighbourhoods, reports, allotments, add: parts.add });
  const { peers, policies } = addReporters(parts, { neighbourhoods, view, peersIn, policiesIn });
  return {
    board,
    nodeSources: [
      ...concernedSources(caches, "FederationPeer", inNamespace(nodesIn)),
      ...concernedSources(caches, "SyncPolicy", inNamespace(nodesIn)),
      ...nodeSources(caches, "identity", (namespace) =>
        neighbourhoods.hasReferences(namespace) ? nodesIn(namespace) : [],
      ),
    ],
    peering: async (node, signal) => {
      const allowed = await allowLists.of(node, signal);
      const neighbourhood = neighbourhoods.of(node.metadata.namespace);
      const federation = nodeFederation(node, neighbourhood, allowed.nodeIDs);
      const isOverBudget = allotments.of(node).isExceeded;
      return { node, neighbourhood, federation, allowed, reports: board.of(keyText(node.metadata)), isOverBudget };
    },
    hasPeering: (node) => {
      const [namespace = "", name = ""] = node.split("/");
      const object = caches.archiveNodes.get({ namespace, name });
      if (object === undefined) return false;
      const mode = object.spec.discovery?.mode ?? "Disabled";
      return (
        mode !== "Disabled" || caches.federationPeers.list().some(({ metadata }) => metadata.namespace === namespace)
      );
    },
    wakeAround: (node) => {
      const [namespace = ""] = node.split("/");
      for (const key of peersIn(namespace)) peers.enqueue(key, 0);
      for (const key of policiesIn(namespace)) policies.enqueue(key, 0);
    },
    forget: (node) => {
      board.forget(keyText(node));
      allowLists.forget(node);
    },
  };
}

interface Seen {
  readonly neighbourhoods: Neighbourhoods;
  readonly view: (namespace: string) => PolicyViewInput;
  readonly peersIn: (namespace: string) => readonly ObjectKey[];
  readonly policiesIn: (namespace: string) => readonly ObjectKey[];
}

function inNamespace(concerned: (namespace: string) => readonly ObjectKey[]) {
  return ({ metadata }: KubeObject) => concerned(metadata.namespace ?? "");
}

/** Peers of which a page tells something new, and where addresses are new those that are known by address only. */
function toldOf(
  neighbourhoods: Neighbourhoods,
  namespace: string,
  { peers: now }: FederationReports,
  { peers: before }: FederationReports,
): readonly ObjectKey[] {
  const known = changedPeers(now, before).flatMap((nodeID) => neighbourhoods.sameArchive(namespace, nodeID));
  const isSame = JSON.stringify(now?.addresses) === JSON.stringify(before?.addresses);
  const asked = isSame ? [] : neighbourhoods.of(namespace).peers.filter(isKnownByAddress);
  return [...known, ...asked].map(({ object }) => object.metadata);
}

function addReporters({ deps, add, now }: FederationDeps, { neighbourhoods, view, peersIn, policiesIn }: Seen) {
  const { caches, resyncMs } = deps;
  /** One that comes or goes may win over another of the same archive. */
  const rivals = (object: KubeObject) => {
    const { metadata, spec } = object as KubeObject & FederationPeer;
    const target = { namespace: metadata.namespace, name: spec.nodeRef?.name ?? "" };
    const nodeID = spec.nodeID ?? caches.archiveNodes.get(target)?.status?.nodeID;
    if (nodeID === undefined) return [];
    return neighbourhoods.sameArchive(metadata.namespace, nodeID).map(({ object }) => object.metadata);
  };
  const peers = add(
    "federation-peer",
    "FederationPeer",
    createFederationPeerReconciler({
      peers: caches.federationPeers,
      view: ({ metadata }) => viewOf({ ...view(metadata.namespace), peer: neighbourhoods.peer(metadata) }),
      writeStatus: orPutOff(statusWriter(deps, "FederationPeer")),
      now,
    }),
    [
      ...ownSources(caches, "FederationPeer", resyncMs),
      ...concernedSources(caches, "FederationPeer", rivals),
      ...nodeSources(caches, "progress", peersIn),
    ],
  );
  const policies = add(
    "sync-policy",
    "SyncPolicy",
    createSyncPolicyReconciler({
      policies: caches.syncPolicies,
      view: (policy) => policyViewOf(policy, view(policy.metadata.namespace)),
      writeStatus: orPutOff(statusWriter(deps, "SyncPolicy")),
      now,
    }),
    [
      ...ownSources(caches, "SyncPolicy", resyncMs),
      ...concernedSources(caches, "SyncPolicy", inNamespace(policiesIn)),
      ...concernedSources(caches, "FederationPeer", inNamespace(policiesIn)),
      ...nodeSources(caches, "progress", policiesIn),
    ],
  );
  return { peers, policies };
}
