/**
 * Calls to peers as gossip, sync and search make them: to a node id, never to an address. Dialling, proving keys, sessions
 * and the limits of one peer are the business of whoever implements this.
 */
import type { PeerState, TrustLevel } from "../contract/federation-reports.ts";

export interface PeerCall {
  readonly method: "GET" | "HEAD" | "POST";
  /** Below the base path, with its query: `/sync/changes?collection=default`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface PeerAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface PeerCalls {
  /**
   * A call whose answer is read whole and parsed as JSON; `body` is `undefined` when there is none.
   *
   * @param maxBytes - a longer answer fails with `ANSWER_TOO_LARGE`
   * @throws {PeerError} the peer cannot be reached, is not who it should be, does not let us in, or answers garbage.
   *   HTTP errors of the peer are no throw: see `status`. @throws the signal's reason
   */
  json(
    nodeId: string,
    call: PeerCall,
    options: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<PeerAnswer & { readonly body: unknown }>;
  /** The same with the body as it comes. It ends when `signal` aborts; read it to its end or `return()` it. */
  stream(
    nodeId: string,
    call: PeerCall,
    signal: AbortSignal,
  ): Promise<PeerAnswer & { readonly body: AsyncIterable<Uint8Array> }>;
}

/** A peer as services choose among them. */
export interface KnownPeer {
  readonly nodeId: string;
  readonly state: PeerState;
  readonly trust: TrustLevel;
  /** The trust document names it now. */
  readonly isTrusted: boolean;
  /** As its record says; empty while there is none. */
  readonly capabilities: readonly string[];
  /** A session is there, so that a call needs no handshake first. */
  readonly isConnected: boolean;
  /** Median of the last round trips, milliseconds; `undefined` before the first. */
  readonly rttMs: number | undefined;
  /** Of the federation document; 100 where it says nothing. */
  readonly weight: number;
}

/** Peers that may be asked: those of the federation document that are not suspended, and in Public mode all that gossip brought. */
export interface PeerDirectory {
  readonly known: () => readonly KnownPeer[];
}
