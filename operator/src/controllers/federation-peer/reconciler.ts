/** Writes the status of a FederationPeer. This release does nothing else for the kind, and the status says so. */
import type { FederationPeer, FederationPeerStatus } from "@archivestream/crds";
import type { ObjectKey } from "../objects.ts";
import { unimplementedStatus } from "../unimplemented.ts";

export interface FederationPeerReconcilerDeps {
  readonly peers: { get(key: ObjectKey): FederationPeer | undefined };
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
    if (peer === undefined || peer.metadata.deletionTimestamp !== undefined) return undefined;
    const status = unimplementedStatus("FederationPeer", peer, PURPOSE, deps.now());
    return deps.writeStatus(peer, status, signal);
  };
}

const PURPOSE = "connect to peers";
