/** Pulls one peer's list: what changed since last time, or nothing but a 304. */
import Value from "typebox/value";
import { PEERS_PAGE, type PeersPage, PeersPageSchema } from "../asfp/peers-page.ts";
import type { PeerCalls } from "../peers/peer-calls.ts";
import type { Hearsay } from "./hearsay.ts";
import { GOSSIP_LIMITS } from "./timing.ts";

export const PULL_RESULTS = ["unchanged", "changed", "refused", "garbage", "unreachable"] as const;
export type PullResult = (typeof PULL_RESULTS)[number];

interface Position {
  readonly etag: string | undefined;
  readonly cursor: string | undefined;
}

const START: Position = { etag: undefined, cursor: undefined };

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
    let from = this.#positions.get(nodeId) ?? START;
    for (let pages = 0; pages < GOSSIP_LIMITS.pagesPerRound; pages += 1) {
      const answer = await this.#ask(nodeId, from, signal);
      if (typeof answer === "string") return answer;
      if (this.#hearsay.take(nodeId, answer.page, this.#nowMs()).leftOut > 0) break;
      const { cursor } = answer.page;
      const isWhole = isLastPage(answer.page, from.cursor);
      // An ETag stands for the whole list: one that was not read to its end is asked on, not asked whether it changed.
      this.#positions.set(nodeId, { etag: isWhole ? answer.etag : undefined, cursor });
      if (isWhole) break;
      from = { etag: undefined, cursor };
    }
    return "changed";
  }

  async #ask(
    nodeId: string,
    { etag, cursor }: Position,
    signal: AbortSignal,
  ): Promise<{ readonly page: PeersPage; readonly etag: string | undefined } | PullResult> {
    const headers = etag === undefined ? {} : { "if-none-match": etag };
    const request = { method: "GET", path: pathOf(cursor), headers } as const;
    const answer = await this.#calls.json(nodeId, request, { maxBytes: PEERS_PAGE.bytes, signal });
    if (answer.status === 304) return "unchanged";
    if (answer.status !== 200) return "refused";
    if (!Value.Check(PeersPageSchema, answer.body)) return "garbage";
    return { page: answer.body, etag: answer.headers["etag"] };
  }

  /** Positions of peers that are no more. */
  forget(nodeId: string): void {
    this.#positions.delete(nodeId);
  }
}

/** A page that says there is more, with a cursor that leads nowhere, is the last one too. */
function isLastPage(page: PeersPage, askedCursor: string | undefined): boolean {
  return page.more !== true || page.cursor === undefined || page.cursor === askedCursor;
}

function pathOf(cursor: string | undefined): string {
  const since = cursor === undefined ? "" : `&since=${encodeURIComponent(cursor)}`;
  return `/peers?limit=${GOSSIP_LIMITS.pageRecords}${since}`;
}
