/**
 * What a FederationPeer means: who it is, where it answers, whether it is let in, and whether it comes before another one
 * of the same archive. Pure.
 *
 * The API stores no defaults, so this file is the only place that knows those of a FederationPeer.
 */
import type { ArchiveNode, FederationPeer, FederationPeerReason } from "@archivestream/crds";
import { matchesLabels } from "./label-selector.ts";
import { advertisedUrl, baseUrl, serviceUrl } from "./peer-address.ts";

export interface ResolvedPeer {
  readonly object: FederationPeer;
  readonly name: string;
  readonly uid: string;
  readonly origin: "Authored" | "Discovered";
  readonly admission: "Approved" | "Pending" | "Blocked";
  /** Absent while it is not known: by address only, or its ArchiveNode has no identity yet. */
  readonly nodeID: string | undefined;
  /** ArchiveNode of this namespace that it stands for. */
  readonly nodeRef: string | undefined;
  /** Base URLs, in the order to dial. */
  readonly endpoints: readonly string[];
  /** Why nothing is done with it. */
  readonly refused: Refusal | undefined;
  /** Name of the object that counts instead. */
  readonly shadowedBy: string | undefined;
}

export interface Refusal {
  readonly reason: FederationPeerReason<"Accepted">;
  readonly message: string;
}

/** Looks up an ArchiveNode of the same namespace. */
export type NodeNamed = (name: string) => ArchiveNode | undefined;

/** Whether this ArchiveNode is to speak with the peer, if it is let in. A node is never its own peer. */
export function peersWith(node: ArchiveNode, peer: ResolvedPeer): boolean {
  const { nodeSelector } = peer.object.spec;
  const isSelf =
    peer.nodeRef === node.metadata.name || (peer.nodeID !== undefined && peer.nodeID === node.status?.nodeID);
  return !isSelf && (nodeSelector === undefined || matchesLabels(nodeSelector, node.metadata.labels));
}

/** Let in, and the object that counts. */
export function isApproved(peer: ResolvedPeer): peer is ResolvedPeer & { readonly nodeID: string } {
  return (
    peer.admission === "Approved" &&
    peer.nodeID !== undefined &&
    peer.refused === undefined &&
    peer.shadowedBy === undefined
  );
}

/** One peer by itself: whether another object of the same archive counts instead is the index's to say. */
export function resolvePeer(object: FederationPeer, nodeNamed: NodeNamed): ResolvedPeer {
  const { spec, metadata } = object;
  const origin = spec.origin ?? "Authored";
  const nodeRef = spec.nodeRef?.name;
  const target = nodeRef === undefined ? undefined : nodeNamed(nodeRef);
  return {
    object,
    name: metadata.name,
    uid: metadata.uid,
    origin,
    admission: spec.admission ?? (origin === "Authored" ? "Approved" : "Pending"),
    nodeID: spec.nodeID ?? target?.status?.nodeID,
    nodeRef,
    endpoints: target === undefined ? givenEndpoints(object) : ownEndpoints(target),
    refused: refusal(object, nodeRef !== undefined && target === undefined),
    shadowedBy: undefined,
  };
}

function givenEndpoints({ spec }: FederationPeer): readonly string[] {
  const ordered = (spec.endpoints ?? []).toSorted(
    (a, b) => (a.priority ?? 0) - (b.priority ?? 0) || (a.name < b.name ? -1 : 1),
  );
  return [...new Set(ordered.map(({ url }) => baseUrl(url)))];
}

/** Inside the cluster the Service is nearer than whatever the world is told. */
function ownEndpoints(node: ArchiveNode): readonly string[] {
  return [...new Set([serviceUrl(node.metadata), advertisedUrl(node)])];
}

function refusal({ spec }: FederationPeer, isLost: boolean): Refusal | undefined {
  if (isLost)
    return {
      reason: "NodeNotFound",
      message: `spec.nodeRef names ArchiveNode ${spec.nodeRef?.name}, which is not there; create it or correct the name`,
    };
  const narrowing = [
    ...(spec.trust?.caRef === undefined ? [] : ["spec.trust.caRef"]),
    ...(spec.trust?.minVersion === undefined ? [] : ["spec.trust.minVersion"]),
  ];
  if (narrowing.length > 0)
    return {
      reason: "NotImplementedValue",
      message: `this release cannot enforce ${narrowing.join(", ")}, so the peer is not trusted at all; remove it to trust the peer by its key`,
    };
  return undefined;
}

/** Authored before discovered, then the older, then the lexically smaller name. */
export function byPrecedence(one: ResolvedPeer, other: ResolvedPeer): number {
  if (one.origin !== other.origin) return one.origin === "Authored" ? -1 : 1;
  const [a, b] = [one.object.metadata.creationTimestamp ?? "", other.object.metadata.creationTimestamp ?? ""];
  if (a !== b) return a < b ? -1 : 1;
  return one.name < other.name ? -1 : 1;
}
