/**
 * What this node knows of other nodes, in memory: handshakes write what they prove, gossip writes what it hears and keeps
 * the table on disk. Whoever is let in is not decided here; see `trust.ts`.
 */
import type { SignedPeerRecord } from "../asfp/peer-record.ts";
import type { PeerFailure, TrustLevel } from "../contract/federation-reports.ts";

export type PeerSource = "handshake" | "gossip";

export interface PeerEntry {
  readonly nodeId: string;
  /** The newest whose signature verified. */
  readonly signed: SignedPeerRecord | undefined;
  /** Base URL that this node's own handshake reached last. */
  readonly lastWorked: string | undefined;
  readonly level: TrustLevel;
  /** Why the last call or handshake failed; `undefined` since one succeeded, or before the first. */
  readonly failure: PeerFailure | undefined;
  /** Who brought it first. */
  readonly source: PeerSource;
}

export type PeerChange =
  /** A new peer, or a newer record of one. */
  | { readonly kind: "record"; readonly entry: PeerEntry }
  /** Its level rose, another endpoint worked, or a failure came or went. */
  | { readonly kind: "finding"; readonly entry: PeerEntry }
  | { readonly kind: "forgotten"; readonly entry: PeerEntry };

/** From nothing to everything. */
export const TRUST_LEVELS = ["unknown", "claimed", "proven", "verified"] as const satisfies readonly TrustLevel[];
/** Strangers can make as many node ids as they like. */
const MAX_ENTRIES = 4_000;

export class PeerTable {
  readonly #entries = new Map<string, PeerEntry>();
  readonly #listeners = new Set<(change: PeerChange) => void>();
  readonly #isKept: (nodeId: string) => boolean;

  /** @param isKept - peers that stay whoever comes: those that the documents name */
  constructor(isKept: (nodeId: string) => boolean) {
    this.#isKept = isKept;
  }

  get(nodeId: string): PeerEntry | undefined {
    return this.#entries.get(nodeId);
  }

  /** Those not heard of for longest first. */
  all(): readonly PeerEntry[] {
    return [...this.#entries.values()];
  }

  onChange(listener: (change: PeerChange) => void): void {
    this.#listeners.add(listener);
  }

  /** Puts back what was kept on disk, without telling anyone. Only an entry's record must have been checked. */
  restore(entries: readonly PeerEntry[]): void {
    for (const entry of entries.slice(0, MAX_ENTRIES)) this.#entries.set(entry.nodeId, entry);
  }

  /**
   * Takes a record that was checked; one that is not newer changes nothing but the level.
   *
   * @param level - what this proves; a level never falls here
   * @returns false when the record is older than the one held
   */
  learn(signed: SignedPeerRecord, level: TrustLevel, source: PeerSource): boolean {
    const nodeId = signed.record.node_id;
    const held = this.#entries.get(nodeId);
    const seq = held?.signed?.record.seq ?? -1;
    if (signed.record.seq < seq) return false;
    const raised = higher(held?.level ?? "unknown", level);
    if (signed.record.seq === seq && raised === held?.level) return true;
    const entry = { ...(held ?? emptyEntry(nodeId, source)), signed, level: raised };
    this.#put({ kind: signed.record.seq > seq ? "record" : "finding", entry });
    return true;
  }

  /** This node's own handshake or call reached the peer at `endpoint`. */
  worked(nodeId: string, endpoint: string): void {
    const held = this.#entries.get(nodeId) ?? emptyEntry(nodeId, "handshake");
    if (held.lastWorked === endpoint && held.failure === undefined && held.level === "verified") return;
    this.#put({ kind: "finding", entry: { ...held, lastWorked: endpoint, level: "verified", failure: undefined } });
  }

  failed(nodeId: string, failure: PeerFailure): void {
    const held = this.#entries.get(nodeId) ?? emptyEntry(nodeId, "handshake");
    if (held.failure?.reason === failure.reason && held.failure.message === failure.message) return;
    this.#put({ kind: "finding", entry: { ...held, failure } });
  }

  forget(nodeId: string): void {
    const entry = this.#entries.get(nodeId);
    if (entry === undefined) return;
    this.#entries.delete(nodeId);
    this.#tell({ kind: "forgotten", entry });
  }

  #put(change: PeerChange): void {
    const { nodeId } = change.entry;
    const isNew = !this.#entries.delete(nodeId);
    this.#entries.set(nodeId, change.entry);
    if (isNew && this.#entries.size > MAX_ENTRIES) this.#dropOne(nodeId);
    this.#tell(change);
  }

  /** The least proven goes first, and of those the one not heard of for longest. */
  #dropOne(newcomer: string): void {
    let worst: PeerEntry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.nodeId === newcomer || this.#isKept(entry.nodeId)) continue;
      if (worst === undefined || TRUST_LEVELS.indexOf(entry.level) < TRUST_LEVELS.indexOf(worst.level)) worst = entry;
    }
    this.forget(worst?.nodeId ?? newcomer);
  }

  #tell(change: PeerChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function emptyEntry(nodeId: string, source: PeerSource): PeerEntry {
  return { nodeId, signed: undefined, lastWorked: undefined, level: "unknown", failure: undefined, source };
}

function higher(a: TrustLevel, b: TrustLevel): TrustLevel {
  return TRUST_LEVELS.indexOf(a) >= TRUST_LEVELS.indexOf(b) ? a : b;
}
