/** Writes the status of a FederationPeer, from what the nodes of its namespace do with it. It makes nothing. */
import { type FederationPeer, type FederationPeerStatus, notImplementedFields } from "@archivestream/crds";
import type { ObjectKey } from "../objects.ts";
import type { PeerView } from "./conditions.ts";
import { peerStatus } from "./status.ts";

export interface FederationPeerReconcilerDeps {
  readonly peers: { get(key: ObjectKey): FederationPeer | undefined };
  /** Undefined when the peer is not one of the living any more. */
  readonly view: (peer: FederationPeer) => Omit<PeerView, "notImplemented" | "now"> | undefined;
  /** @returns milliseconds after which to come again, when the write was put off */
  readonly writeStatus: (
    peer: FederationPeer,
    status: FederationPeerStatus,
    signal: AbortSignal,
  ) => Promise<number | undefined>;
  readonly now: () => Date;
}

export function createFederationPeerReconciler(deps: FederationPeerReconcilerDeps) {
  return async (key: ObjectKey, signal: AbortSignal): Promise<number | undefined> => {
    const peer = deps.peers.get(key);
    const view = peer === undefined ? undefined : deps.view(peer);
    if (peer === undefined || view === undefined) return undefined;
    const now = deps.now();
    const notImplemented = notImplementedFields("FederationPeer", peer.spec);
    const putOffMs = await deps.writeStatus(peer, peerStatus({ ...view, notImplemented, now }), signal);
    return putOffMs ?? untilExpiry(peer, now);
  };
}

/** Trust ends without an event. Milliseconds; undefined when it does not, or has. */
function untilExpiry({ spec }: FederationPeer, now: Date): number | undefined {
  if (spec.trust?.expires === undefined) return undefined;
  const leftMs = Date.parse(spec.trust.expires) - now.getTime();
  return leftMs > 0 ? Math.min(leftMs, LONGEST_WAIT_MS) : undefined;
}

/** Longer waits than a day are cut in pieces: timers do not count further than 24 days. */
const LONGEST_WAIT_MS = 86_400_000;
