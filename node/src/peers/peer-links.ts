/** What gossip and the admin reports ask of the connections to peers, beside calls. */
import type { SignedPeerRecord } from "../asfp/peer-record.ts";
import type { PeerCalls } from "./peer-calls.ts";

/** Who proved to be at an address. */
export interface IdentifiedPeer {
  readonly nodeId: string;
  readonly signed: SignedPeerRecord;
  /** Base URL at which it answered. */
  readonly endpoint: string;
  /** Whether it let this node in; `pending` waits for its operator. */
  readonly admission: "accepted" | "pending" | "refused";
}

export interface PeerLinks extends PeerCalls {
  /** Handshakes unless a session is there. @throws {PeerError} @throws the signal's reason */
  connect(nodeId: string, signal: AbortSignal): Promise<void>;
  /** A session is there and the breaker is closed: a call needs no handshake first. */
  isConnected(nodeId: string): boolean;
  /** Median of the last round trips, milliseconds. */
  rttMs(nodeId: string): number | undefined;
  /** Forgets pauses after failures, because the peer has shown that it is there. */
  encourage(nodeId: string): void;
  /**
   * Asks who is at an address whose node id is not known. What it proves is learnt; trusted is nobody for it.
   *
   * @param address - base URL
   * @param isAuthored - a person put it there: it passes the address filter
   * @throws {PeerError} @throws the signal's reason
   */
  identify(address: string, isAuthored: boolean, signal: AbortSignal): Promise<IdentifiedPeer>;
}
