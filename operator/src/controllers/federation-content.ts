/** With whom a node exchanges what: everything of its two sequenced documents that comes from other objects. Pure. */
import type { ArchiveNode } from "@archivestream/crds";
import type { FederationDocument, FederationPeerEntry } from "@archivestream/node/contract";
import { durationMs } from "./duration.ts";
import { advertisedUrl, baseUrl } from "./peer-address.ts";
import { isApproved, peersWith, type ResolvedPeer } from "./resolved-peers.ts";
import { policyEntry, type ResolvedPolicy, selectsNode } from "./resolved-policies.ts";
import { type TrustContent, trustContent } from "./trust/trust-content.ts";

/** The FederationPeers and SyncPolicies of a namespace, as they are understood. */
export interface Neighbourhood {
  readonly peers: readonly ResolvedPeer[];
  /** In order of precedence. */
  readonly policies: readonly ResolvedPolicy[];
}

export type FederationContent = Omit<FederationDocument, "sequence" | "issuedAt" | "digest" | "node">;

/** Ids that the allow lists of a node name. */
export interface AllowedIds {
  readonly nodeIDs: readonly string[];
  readonly problem: { readonly reason: "SecretNotFound" | "SecretInvalid"; readonly message: string } | undefined;
}

/** What one ArchiveNode is given of it. */
export interface NodeFederation {
  readonly trust: TrustContent;
  readonly federation: FederationContent;
  /** SyncPolicies that select this node. */
  readonly policies: readonly { readonly name: string; readonly uid: string }[];
}

/** Bounds of the federation document. */
const MAX_ADDRESSES = 64;
const MAX_POLICIES = 256;
const HTTPS = 443;
const SHORTEST_TIMEOUT_MS = 50;
const LONGEST_TIMEOUT_MS = 10_000;

export function nodeFederation(
  node: ArchiveNode,
  { peers, policies }: Neighbourhood,
  allowList: readonly string[],
): NodeFederation {
  const trust = trustContent(node, peers, allowList);
  const trusted = new Set(trust.entries.map(({ nodeID }) => nodeID));
  const connected = peers.filter(isApproved).filter((peer) => peersWith(node, peer) && trusted.has(peer.nodeID));
  const selecting = policies.filter((policy) => selectsNode(policy, node));
  const seeds = (node.spec.discovery?.seeds ?? []).map(baseUrl);
  const addresses = addressesOf(node, peers);
  const search = searchOf(node);
  return {
    trust,
    federation: {
      peers: connected.map(peerEntry).toSorted((a, b) => (a.nodeID < b.nodeID ? -1 : 1)),
      policies: selecting.flatMap((policy) => policyEntry(policy, node, connected) ?? []).slice(0, MAX_POLICIES),
      ...(seeds.length === 0 ? {} : { seeds }),
      ...(addresses.length === 0 ? {} : { addresses }),
      advertised: advertisedUrl(node),
      discovery: discoveryOf(node),
      ...(search === undefined ? {} : { search }),
    },
    policies: selecting.map(({ name, uid }) => ({ name, uid })),
  };
}

function peerEntry({ object, nodeID, endpoints }: ResolvedPeer & { readonly nodeID: string }): FederationPeerEntry {
  const { trust, weight, suspend } = object.spec;
  return {
    nodeID,
    endpoints: [...endpoints],
    ...(trust?.pins === undefined || trust.pins.length === 0 ? {} : { pins: trust.pins.toSorted() }),
    ...(weight === undefined ? {} : { weight }),
    ...(suspend === true ? { suspend } : {}),
  };
}

/** Of peers known by address only: the pods ask there who it is. */
function addressesOf(node: ArchiveNode, peers: readonly ResolvedPeer[]): string[] {
  const unknown = peers.filter(
    (peer) => isKnownByAddress(peer) && peer.object.spec.suspend !== true && peersWith(node, peer),
  );
  return [...new Set(unknown.flatMap(({ endpoints }) => endpoints))].sort().slice(0, MAX_ADDRESSES);
}

export function isKnownByAddress({ nodeID, nodeRef, admission }: ResolvedPeer): boolean {
  return nodeID === undefined && nodeRef === undefined && admission !== "Blocked";
}

/** `AutoAdmit` needs CAs, which this release cannot check: it proposes. */
function discoveryOf({ spec }: ArchiveNode): NonNullable<FederationDocument["discovery"]> {
  const { mode = "Disabled", maxPeers, deny = [] } = spec.discovery ?? {};
  return {
    mode: mode === "AutoAdmit" ? "Propose" : mode,
    ...(maxPeers === undefined ? {} : { maxPeers }),
    ...(deny.length === 0 ? {} : { deny: deny.toSorted() }),
  };
}

const DEFAULT_MAX_PEERS = 200;

/** How many discovered peers a node keeps. */
export function maxDiscoveredPeers({ spec }: ArchiveNode): number {
  return spec.discovery?.maxPeers ?? DEFAULT_MAX_PEERS;
}

function searchOf({ spec }: ArchiveNode): FederationDocument["search"] {
  const { maxPeers, timeout } = spec.search ?? {};
  if (maxPeers === undefined && timeout === undefined) return undefined;
  return {
    ...(maxPeers === undefined ? {} : { maxPeers }),
    ...(timeout === undefined
      ? {}
      : { timeoutMs: Math.min(LONGEST_TIMEOUT_MS, Math.max(SHORTEST_TIMEOUT_MS, durationMs(timeout))) }),
  };
}

/** Ports that the node has to reach, lowest first. */
export function portsOf({ peers, seeds = [], addresses = [] }: FederationContent): number[] {
  const urls = [...peers.flatMap(({ endpoints }) => endpoints), ...seeds, ...addresses];
  const ports = urls.flatMap((text) => {
    const url = URL.parse(text);
    return url === null ? [] : [url.port === "" ? HTTPS : Number(url.port)];
  });
  return [...new Set(ports)].sort((a, b) => a - b);
}
