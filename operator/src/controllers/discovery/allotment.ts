/** Which discovered peers one ArchiveNode may keep: never more than `spec.discovery.maxPeers`. Pure. */
import type { ArchiveNode } from "@archivestream/crds";
import type { KubeObject } from "../../kube/objects.ts";
import { maxDiscoveredPeers } from "../federation-content.ts";
import type { FederationReports } from "../federation-facts.ts";
import type { ResolvedPeer } from "../resolved-peers.ts";

export interface AllotmentInput {
  readonly node: ArchiveNode;
  readonly reports: readonly FederationReports[];
  /** Of the namespace. */
  readonly peers: readonly ResolvedPeer[];
  /** Discovered objects of the namespace that were made and that `peers` does not show yet. */
  readonly inFlight: readonly (KubeObject & { readonly spec: { readonly nodeID?: string | undefined } })[];
}

export interface Allotment {
  /** Node ids that it may own an object for: those it has, the decided ones first, then those that pods offer. */
  readonly kept: ReadonlySet<string>;
  /** Some found no room; undefined while no pod has said what it knows of. */
  readonly isExceeded: boolean | undefined;
}

export const NO_ALLOTMENT: Allotment = { kept: new Set(), isExceeded: false };

export function proposes({ spec }: ArchiveNode): boolean {
  return spec.discovery?.mode === "Propose" || spec.discovery?.mode === "AutoAdmit";
}

export function allotmentOf(input: AllotmentInput): Allotment {
  const { node, reports } = input;
  if (!proposes(node)) return NO_ALLOTMENT;
  const pages = reports.flatMap(({ discoveries }) => discoveries ?? []);
  const { decided, pending } = heldBy(input);
  const authored = input.peers.filter(({ origin }) => origin === "Authored");
  const refused = new Set([
    node.status?.nodeID,
    ...authored.map(({ nodeID }) => nodeID),
    ...(node.spec.discovery?.deny ?? []),
  ]);
  const offered = pages.flatMap(({ discoveries }) => discoveries.map(({ nodeID }) => nodeID)).sort();
  const wanted = [...new Set([...pending, ...offered])].filter((id) => !refused.has(id) && !decided.has(id));
  const room = Math.max(0, maxDiscoveredPeers(node) - decided.size);
  const isOver = wanted.length > room || pages.some(({ overBudget }) => overBudget);
  return {
    kept: new Set([...decided, ...wanted.slice(0, room)]),
    isExceeded: pages.length === 0 ? undefined : isOver,
  };
}

/** Objects that the node owns: what a person decided on, and what waits for it, the oldest first. */
function heldBy({ node, peers, inFlight }: AllotmentInput) {
  const isOwned = ({ metadata }: KubeObject) =>
    metadata.ownerReferences?.some(({ uid }) => uid === node.metadata.uid) ?? false;
  const held = peers.filter(({ origin, object }) => origin === "Discovered" && isOwned(object as KubeObject));
  const pending = held.filter(({ admission }) => admission === "Pending");
  const since = ({ object }: ResolvedPeer) => object.metadata.creationTimestamp ?? "";
  const byAge = pending.toSorted((a, b) =>
    since(a) === since(b) ? (a.name < b.name ? -1 : 1) : since(a) < since(b) ? -1 : 1,
  );
  return {
    decided: new Set(held.filter(({ admission }) => admission !== "Pending").flatMap(({ nodeID }) => nodeID ?? [])),
    pending: [...byAge, ...inFlight.filter(isOwned).map(({ spec }) => spec)].flatMap(({ nodeID }) => nodeID ?? []),
  };
}
