/** What adding, removing, approving and blocking a peer change in the two documents. Pure; repeating one changes nothing. */
import type {
  FederationDocument,
  FederationPeerEntry,
  PolicyEntry,
  TrustDocument,
  TrustEntry,
} from "../contract/documents.ts";

/** As the federation document allows. */
const MAX_ENDPOINTS = 8;

type Edit<T> = (document: T) => T;

const without = <T extends { readonly nodeID: string }>(entries: readonly T[], nodeID: string): T[] =>
  entries.filter((entry) => entry.nodeID !== nodeID);

/** Trusts the peer, and takes back that it was blocked. */
export const trusted =
  (nodeID: string): Edit<TrustDocument> =>
  (document) => {
    const entry: TrustEntry = document.entries.find((one) => one.nodeID === nodeID) ?? { nodeID, pins: [] };
    const isListed = document.entries.includes(entry);
    return {
      ...document,
      entries: isListed ? document.entries : [...document.entries, entry],
      revoked: document.revoked.filter((revoked) => revoked !== nodeID),
    };
  };

export const revoked =
  (nodeID: string): Edit<TrustDocument> =>
  (document) => ({
    ...document,
    entries: without(document.entries, nodeID),
    revoked: document.revoked.includes(nodeID) ? document.revoked : [...document.revoked, nodeID],
  });

export const untrusted =
  (nodeID: string): Edit<TrustDocument> =>
  (document) => ({
    ...document,
    entries: without(document.entries, nodeID),
    revoked: document.revoked.filter((revoked) => revoked !== nodeID),
  });

/** Dials the peer, at `endpoints` first and then at those it had. */
export const dialled =
  (nodeID: string, endpoints: readonly string[]): Edit<FederationDocument> =>
  (document) => {
    const held = document.peers.find((peer) => peer.nodeID === nodeID);
    const { suspend: _suspend, ...settings } = held ?? { nodeID, endpoints: [] };
    const all = [...new Set([...endpoints, ...settings.endpoints])].slice(0, MAX_ENDPOINTS);
    return { ...document, peers: replaced(document.peers, { ...settings, endpoints: all }) };
  };

/** Keeps the addresses of a blocked peer for when it is approved again. */
export const suspended =
  (nodeID: string): Edit<FederationDocument> =>
  (document) => {
    const held = document.peers.find((peer) => peer.nodeID === nodeID);
    return held === undefined ? document : { ...document, peers: replaced(document.peers, { ...held, suspend: true }) };
  };

export const forgotten =
  (nodeID: string): Edit<FederationDocument> =>
  (document) => ({ ...document, peers: without(document.peers, nodeID) });

export const withPolicy =
  (policy: PolicyEntry): Edit<FederationDocument> =>
  (document) => ({
    ...document,
    policies: [...document.policies.filter(({ name }) => name !== policy.name), policy],
  });

export const withoutPolicy =
  (name: string): Edit<FederationDocument> =>
  (document) => ({ ...document, policies: document.policies.filter((policy) => policy.name !== name) });

function replaced(peers: readonly FederationPeerEntry[], entry: FederationPeerEntry): FederationPeerEntry[] {
  const at = peers.findIndex(({ nodeID }) => nodeID === entry.nodeID);
  return at === -1 ? [...peers, entry] : peers.with(at, entry);
}
