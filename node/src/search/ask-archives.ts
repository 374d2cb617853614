/** Puts a question to one archive, a peer or this node's own index, and says what came of it, whatever the archive does. */
import type { FederatedRequest, LeafSearchService } from "../archive/archive.ts";
import { SEARCH_LIMITS, type SearchRequestMessage } from "../asfp/search-messages.ts";
import type { KnownPeer, PeerCalls } from "../peers/peer-calls.ts";
import type { Clock, Deadline } from "./deadline.ts";
import { checkAnswer } from "./leaf-answer.ts";
import { type Asked, failureOf, statusOf, statusOfAnswer } from "./peer-outcome.ts";

/** Time of ours in which answers are put together. */
const MERGE_MS = 10;
const SEARCH_PATH = "/search";

export interface Asking {
  readonly message: SearchRequestMessage;
  readonly deadline: Deadline;
  /** Words of the question, as answers count them. */
  readonly units: number;
}

/** What a peer is asked; its time is added when it is sent. */
export function messageFor(request: FederatedRequest, queryId: string): SearchRequestMessage {
  const { q, from, to, limit, offset, named, audience } = request;
  return {
    query: q,
    query_id: queryId,
    size: Math.min(SEARCH_LIMITS.size, 2 * (limit + offset)),
    ...{ features: true, stats: true, hops: 0, audience },
    filters: {
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(named === undefined ? {} : { collections: [...named] }),
    },
  };
}

/**
 * The index of this node under the rules of a peer's; checked like one, so that all are alike.
 *
 * @throws whatever the index throws
 */
export async function askOwn(
  { leaf, self, clock }: { readonly leaf: LeafSearchService; readonly self: string; readonly clock: Clock },
  request: FederatedRequest,
  { message, deadline, units }: Asking,
): Promise<Asked> {
  const startedMs = clock.monotonicMs();
  const { from, to } = request;
  const size = message.size ?? request.limit;
  const answer = await leaf.ask(
    {
      ...{ query: request.q, collections: request.collections, size },
      filters: { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) },
      ...{ budgetMs: deadline.leftMs - MERGE_MS, features: true, stats: true },
    },
    deadline.signal,
  );
  const checked = checkAnswer(answer, { nodeId: self, size, units });
  if (checked === undefined) throw new Error("the answer of this node's own index does not fit its schema");
  const tookMs = Math.round(clock.monotonicMs() - startedMs);
  const status = statusOfAnswer(checked);
  return status === "timeout" ? { status, tookMs } : { status, tookMs, leaf: checked.leaf };
}

export async function askPeer(
  { calls, clock }: { readonly calls: Pick<PeerCalls, "json">; readonly clock: Clock },
  peer: KnownPeer,
  { message, deadline, units }: Asking,
): Promise<Asked> {
  const startedMs = clock.monotonicMs();
  const tookMs = (): number => Math.round(clock.monotonicMs() - startedMs);
  const budgetMs = Math.floor(deadline.leftMs - (peer.rttMs ?? 0) - MERGE_MS);
  const body = { ...message, timeout_ms: Math.max(SEARCH_LIMITS.leastTimeoutMs, budgetMs) };
  try {
    const answer = await calls.json(
      peer.nodeId,
      { method: "POST", path: SEARCH_PATH, body },
      { maxBytes: SEARCH_LIMITS.answerBytes, signal: deadline.signal },
    );
    if (answer.status !== 200) return { status: statusOf(answer.status), tookMs: tookMs() };
    const expected = { nodeId: peer.nodeId, size: message.size ?? SEARCH_LIMITS.size, units };
    const checked = checkAnswer(answer.body, expected);
    if (checked === undefined) return { status: "incompatible", tookMs: tookMs() };
    const status = statusOfAnswer(checked);
    return status === "timeout" ? { status, tookMs: tookMs() } : { status, leaf: checked.leaf, tookMs: tookMs() };
  } catch (error) {
    return { status: deadline.signal.aborted ? "timeout" : failureOf(error), tookMs: tookMs() };
  }
}
