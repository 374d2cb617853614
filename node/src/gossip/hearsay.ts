/** Takes what a peer tells of others: only records that verify, only newer ones, and of new peers only so many from each source. */
import { checkPeerRecord } from "../asfp/peer-record.ts";
import type { PeersPage } from "../asfp/peers-page.ts";
import type { PeerTable } from "../peers/peer-table.ts";
import { GOSSIP_LIMITS } from "./timing.ts";

export interface Heard {
  readonly learnt: number;
  /** Records that do not verify. */
  readonly refused: number;
  /** Peers beyond what is taken from one source before any of them is reached: to be asked for again later. */
  readonly leftOut: number;
}

export class Hearsay {
  readonly #table: PeerTable;
  readonly #ownNodeId: () => string;
  /** By source, those it brought and that nobody here has reached. */
  readonly #brought = new Map<string, Set<string>>();
  /** Sequence of what was forgotten, and until when, epoch milliseconds. */
  readonly #tombstones = new Map<string, { readonly seq: number; readonly untilMs: number }>();

  constructor(table: PeerTable, ownNodeId: () => string) {
    this.#table = table;
    this.#ownNodeId = ownNodeId;
  }

  take(source: string, page: PeersPage, nowMs: number): Heard {
    const heard = { learnt: 0, refused: 0, leftOut: 0 };
    for (const entry of page.peers) {
      const result = this.#takeOne(source, entry, nowMs);
      if (result !== "known") heard[result] += 1;
    }
    return heard;
  }

  /** A forgotten peer does not come back by an old record. */
  bury(nodeId: string, seq: number, nowMs: number): void {
    this.#tombstones.set(nodeId, { seq, untilMs: nowMs + GOSSIP_LIMITS.tombstoneMs });
    for (const [id, { untilMs }] of this.#tombstones) if (untilMs <= nowMs) this.#tombstones.delete(id);
  }

  #takeOne(source: string, entry: PeersPage["peers"][number], nowMs: number): keyof Heard | "known" {
    const { node_id, record, sig } = entry;
    if (record === undefined || node_id === this.#ownNodeId()) return "known";
    const seq = (record as { readonly seq?: unknown }).seq;
    // Most of a list is known: no signature is checked for it.
    if (typeof seq === "number" && seq <= this.#newestSeq(node_id, nowMs)) return "known";
    if (!this.#hasRoomFor(source, node_id)) return "leftOut";
    const checked = checkPeerRecord({ record, sig }, nowMs);
    if ("refused" in checked || checked.record.node_id !== node_id) return "refused";
    if (this.#table.get(node_id) === undefined) this.#broughtBy(source).add(node_id);
    return this.#table.learn(checked.signed, "proven", "gossip") ? "learnt" : "known";
  }

  #newestSeq(nodeId: string, nowMs: number): number {
    const tombstone = this.#tombstones.get(nodeId);
    const buried = tombstone !== undefined && tombstone.untilMs > nowMs ? tombstone.seq : -1;
    return Math.max(this.#table.get(nodeId)?.signed?.record.seq ?? -1, buried);
  }

  #hasRoomFor(source: string, nodeId: string): boolean {
    if (this.#table.get(nodeId) !== undefined) return true;
    const brought = this.#broughtBy(source);
    for (const id of brought) {
      const level = this.#table.get(id)?.level;
      if (level === undefined || level === "verified") brought.delete(id);
    }
    return brought.size < GOSSIP_LIMITS.newPerSource;
  }

  #broughtBy(source: string): Set<string> {
    const held = this.#brought.get(source);
    if (held !== undefined) return held;
    const brought = new Set<string>();
    this.#brought.set(source, brought);
    return brought;
  }
}
