/** Pulls one peer's list: what changed since last time, or nothing but a 304. */
import Value from "typebox/value";
import { PEERS_PAGE, PeersPageSchema } from "../asfp/peers-page.ts";
import type { PeerCalls } from "../peers/peer-calls.ts";
import type { Hearsay } from "./hearsay.ts";
import { GOSSIP_LIMITS } from "./timing.ts";

export type PullResult = "unchanged" | "changed" | "refused" | "garbage" | "unreachable";

interface Position {
  readonly etag: string | undefined;
  readonly cursor: string | undefined;
}

export class ListPuller {
  readonly #calls: Pick<PeerCalls, "json">;
  readonly #hearsay: Hearsay;
  readonly #nowMs: () => number;
  readonly #positions = new Map<string, Position>();

  constructor(calls: Pick<PeerCalls, "json">, hearsay: Hearsay, nowMs: () => number) {
    this.#calls = calls;
    this.#hearsay = hearsay;
    this.#nowMs = nowMs;
  }

  /** @throws {PeerError} @throws the signal's reason */
  async pull(nodeId: string, signal: AbortSignal): Promise<PullResult> {
    const from = this.#positions.get(nodeId) ?? { etag: undefined, cursor: undefined };
    let { cursor } = from;
    for (let pages = 0; pages < GOSSIP_LIMITS.pagesPerRound; pages += 1) {
      const headers = pages === 0 && from.etag !== undefined ? { "if-none-match": from.etag } : {};
      const answer = await this.#calls.json(
        nodeId,
        { method: "GET", path: pathOf(cursor), headers },
        { maxBytes: PEERS_PAGE.bytes, signal },
      );
      if (answer.status === 304) return "unchanged";
      if (answer.status !== 200) return "refused";
      if (!Value.Check(PeersPageSchema, answer.body)) return "garbage";
      if (this.#hearsay.take(nodeId, answer.body, this.#nowMs()).leftOut > 0) break;
      const isProgress = answer.body.cursor !== undefined && answer.body.cursor !== cursor;
      cursor = answer.body.cursor;
      const isWhole = answer.body.more !== true || !isProgress;
      // An ETag stands for the whole list: one that was not read to its end is asked on, not asked whether it changed.
      this.#positions.set(nodeId, { etag: isWhole ? answer.headers["etag"] : undefined, cursor });
      if (isWhole) break;
    }
    return "changed";
  }

  /** Positions of peers that are no more. */
  forget(nodeId: string): void {
    this.#positions.delete(nodeId);
  }
}

function pathOf(cursor: string | undefined): string {
  const since = cursor === undefined ? "" : `&since=${encodeURIComponent(cursor)}`;
  return `/peers?limit=${GOSSIP_LIMITS.pageRecords}${since}`;
}
