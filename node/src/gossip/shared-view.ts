/**
 * What this node tells others of its peers: those that its own handshake reached and that are alive. Every change has a number,
 * so that whoever asks again gets only what is new.
 */

import type { SignedPeerRecord } from "../asfp/peer-record.ts";
import { PEERS_PAGE, peersDigest } from "../asfp/peers-page.ts";

interface Numbered {
  readonly number: number;
  readonly signed: SignedPeerRecord;
}

/** An entry of a page: the document's members first. */
export interface TellablePeer {
  readonly node_id: string;
  readonly endpoint: string;
  readonly capabilities: readonly string[];
  readonly version: string;
  readonly last_seen_ms_ago: number;
  readonly state: "alive";
  readonly record: SignedPeerRecord["record"];
  readonly sig: string;
}

export interface ViewPage {
  readonly peers: readonly TellablePeer[];
  readonly cursor: string;
  readonly more: boolean;
  readonly digest: string;
  readonly count: number;
}

/** Room for the members around the entries. */
const ENVELOPE_BYTES = 1024;

export class SharedView {
  readonly #epoch: string;
  readonly #peers = new Map<string, Numbered>();
  #number = 0;
  #digest: string | undefined;

  /** @param epoch - random: cursors of a former process mean nothing here */
  constructor(epoch: string) {
    this.#epoch = epoch;
  }

  /** Takes the peers to be told of now. */
  update(records: Iterable<SignedPeerRecord>): void {
    const named = new Set<string>();
    for (const signed of records) {
      const { node_id, seq } = signed.record;
      named.add(node_id);
      if (this.#peers.get(node_id)?.signed.record.seq === seq) continue;
      this.#number += 1;
      this.#peers.delete(node_id);
      this.#peers.set(node_id, { number: this.#number, signed });
      this.#digest = undefined;
    }
    for (const nodeId of this.#peers.keys()) {
      if (named.has(nodeId)) continue;
      this.#peers.delete(nodeId);
      this.#digest = undefined;
    }
  }

  get digest(): string {
    this.#digest ??= peersDigest(Array.from(this.#peers.values(), ({ signed }) => signed.record));
    return this.#digest;
  }

  /**
   * @param since - a cursor; one of another epoch, or none, begins anew
   * @param silentMs - for how long a peer has not answered
   */
  page(since: string | undefined, limit: number, silentMs: (nodeId: string) => number): ViewPage {
    const after = this.#after(since);
    const peers: TellablePeer[] = [];
    let [last, bytes, more] = [after, ENVELOPE_BYTES, false];
    // In the order of their numbers, because a changed entry is put in anew.
    for (const { number, signed } of this.#peers.values()) {
      if (number <= after) continue;
      const entry = tellable(signed, silentMs(signed.record.node_id));
      bytes += Buffer.byteLength(JSON.stringify(entry)) + 1;
      more = peers.length >= Math.min(limit, PEERS_PAGE.records) || bytes > PEERS_PAGE.bytes;
      if (more) break;
      peers.push(entry);
      last = number;
    }
    if (!more) last = this.#number;
    return { peers, cursor: `${this.#epoch}:${last}`, more, digest: this.digest, count: this.#peers.size };
  }

  #after(since: string | undefined): number {
    const [epoch, number = ""] = since?.split(":") ?? [];
    return epoch === this.#epoch && /^\d{1,15}$/.test(number) ? Number(number) : 0;
  }
}

function tellable({ record, sig }: SignedPeerRecord, silentMs: number): TellablePeer {
  const { node_id, endpoint, capabilities, versions } = record;
  return {
    ...{ node_id, endpoint, capabilities, version: versions[0] ?? "1.0" },
    ...{ last_seen_ms_ago: Math.max(0, Math.round(silentMs)), state: "alive", record, sig },
  };
}
