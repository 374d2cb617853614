/** What the nodes of a namespace do with one peer. Pure. */
import type { ArchiveNode } from "@archivestream/crds";
import type { NodeFacts } from "../facts.ts";
import { isKnownByAddress } from "../federation-content.ts";
import type { FederationReports } from "../federation-facts.ts";
import type { Documents } from "../issued-documents.ts";
import { keyText } from "../objects.ts";
import { findingOf } from "../peer-finding.ts";
import { peersWith, type ResolvedPeer } from "../resolved-peers.ts";
import type { PeerAtNode, PeerView } from "./conditions.ts";

export interface PeerViewInput {
  /** The object as it is understood; undefined when it is not one of the living any more. */
  readonly peer: ResolvedPeer | undefined;
  /** In the order of their names. */
  readonly nodes: readonly ArchiveNode[];
  readonly facts: (node: string) => NodeFacts;
  readonly reports: (node: string) => readonly FederationReports[];
  /** What this process issued to the ArchiveNode of this UID. */
  readonly issued: (uid: string) => Documents | undefined;
}

export function viewOf(input: PeerViewInput): Omit<PeerView, "notImplemented" | "now"> | undefined {
  const { peer } = input;
  if (peer === undefined) return undefined;
  // A hibernated node speaks with nobody.
  const matched = input.nodes.filter((node) => node.spec.replicas !== 0 && peersWith(node, peer));
  const asked = isKnownByAddress(peer) ? addressReports(peer, matched, input) : [];
  return {
    peer,
    nodes: matched.map((node) => atNode(node, peer, input)),
    claims: [...new Set(asked.flatMap(({ claims }) => claims ?? []))].sort(),
    claimFailure: asked.find(({ failure }) => failure !== undefined)?.failure?.message,
  };
}

function addressReports(peer: ResolvedPeer, matched: readonly ArchiveNode[], { reports }: PeerViewInput) {
  return matched
    .flatMap((node) => reports(keyText(node.metadata)))
    .flatMap(({ peers }) => peers?.addresses.filter(({ address }) => peer.endpoints.includes(address)) ?? []);
}

function atNode(node: ArchiveNode, peer: ResolvedPeer, { facts, reports, issued }: PeerViewInput): PeerAtNode {
  const key = keyText(node.metadata);
  const sequence = enforcedBy(facts(key)) ?? node.status?.trust?.observedSequence;
  const document = issued(node.metadata.uid)?.trust;
  const member = peer.nodeID === undefined ? undefined : document?.members.get(peer.nodeID);
  const finding = peer.nodeID === undefined ? ({ state: "unknown" } as const) : findingOf(reports(key), peer.nodeID);
  return { node: node.metadata.name, trust: trustAt(document, member, sequence), sequence, finding };
}

function trustAt(
  document: Documents["trust"] | undefined,
  member: { readonly sequence: number } | undefined,
  sequence: number | undefined,
): PeerAtNode["trust"] {
  if (document === undefined || sequence === undefined) return "unknown";
  if (member === undefined) return "absent";
  return sequence >= member.sequence ? "enforced" : "propagating";
}

/** Lowest sequence of any pod that answered. */
function enforcedBy({ pods }: NodeFacts): number | undefined {
  const sequences = [...pods.values()].flatMap((report) =>
    report.state === "answered" ? [report.status.trust.sequence] : [],
  );
  return sequences.length === 0 ? undefined : Math.min(...sequences);
}
