/**
 * One question to this node's index and to its peers' at once. Whatever they do, the answer is there when its time is over:
 * from those that answered, with what became of the others. Peers answer from their own index only; nothing is asked on.
 */
import type {
  FederatedAnswer,
  FederatedRequest,
  FederatedSearchService,
  LeafSearchService,
} from "../archive/archive.ts";
import { SEARCH_LIMITS, type SearchRequestMessage } from "../asfp/search-messages.ts";
import { countUnits } from "../fulltext/resolve.ts";
import type { KnownPeer, PeerCalls, PeerDirectory } from "../peers/peer-calls.ts";
import type { LocalSearch } from "./answer.ts";
import type { Breakers } from "./breakers.ts";
import { type Clock, Deadline, until } from "./deadline.ts";
import { badQuery } from "./errors.ts";
import { peerLine, toAnswer } from "./federated-answer.ts";
import { checkAnswer } from "./leaf-answer.ts";
import { makeQuestion } from "./make-question.ts";
import { type Leaf, mergeLeaves } from "./merge.ts";
import type { FederatedMetrics } from "./metrics.ts";
import { type AskedPeer, failureOf, statusOf } from "./peer-outcome.ts";
import { type Selection, selectPeers } from "./peer-selection.ts";
import { parseQuery } from "./query-parser.ts";

export interface FederatedSearchDeps {
  readonly local: LocalSearch;
  readonly leaf: LeafSearchService;
  /** Absent: there is nobody to ask. */
  readonly peers: { readonly calls: Pick<PeerCalls, "json">; readonly directory: PeerDirectory } | undefined;
  /** This node's id. */
  readonly self: string;
  /** Of the federation document, as it is now. */
  readonly settings: () => { readonly maxPeers?: number | undefined; readonly timeoutMs?: number | undefined };
  /** Whether one more question of somebody without a token may go to peers now. */
  readonly mayAskAnonymously: () => boolean;
  readonly breakers: Breakers;
  readonly clock: Clock;
  readonly metrics: FederatedMetrics;
  readonly queryId: () => string;
}

const MAX_PEERS = 16;
/** Time of ours in which answers are put together. */
const MERGE_MS = 10;
/** The edge has its own limit, which is shorter. */
const ALONE_MS = 60_000;
const SEARCH_PATH = "/search";

export function createFederatedSearch(deps: FederatedSearchDeps): FederatedSearchService {
  return {
    search: async (request, signal) => {
      const startedMs = deps.clock.monotonicMs();
      try {
        const answer = await route(deps, request, signal);
        const outcome = outcomeOf(answer);
        deps.metrics.observe(outcome, (deps.clock.monotonicMs() - startedMs) / 1_000);
        return answer;
      } catch (error) {
        deps.metrics.observe("failed", (deps.clock.monotonicMs() - startedMs) / 1_000);
        throw error;
      }
    },
  };
}

function outcomeOf({ peers, coverage }: FederatedAnswer): "ok" | "partial" | "local" {
  if (coverage.peers.selected === 0) return "local";
  return peers.every(({ status }) => status === "ok" || status === "not_selected") ? "ok" : "partial";
}

const budgetOf = ({ settings }: FederatedSearchDeps, { timeoutMs }: FederatedRequest): number =>
  timeoutMs ?? settings().timeoutMs ?? SEARCH_LIMITS.defaultTimeoutMs;

async function route(
  deps: FederatedSearchDeps,
  request: FederatedRequest,
  signal: AbortSignal,
): Promise<FederatedAnswer> {
  if (request.scope === "local") return localAnswer(deps, request, { signal });
  // Refused before any peer is asked.
  makeQuestion(parseQuery(request.q), request, []);
  const { self, peers, settings, breakers } = deps;
  if (peers === undefined) return localAnswer(deps, request, { signal });
  const known = peers.directory.known();
  breakers.keepOnly(new Set(known.map(({ nodeId }) => nodeId)));
  const isOpen = (nodeId: string): boolean => breakers.isOpen(nodeId);
  const selection = selectPeers(known, { self, maxPeers: settings().maxPeers ?? MAX_PEERS, isOpen });
  if (selection.asked.length === 0) return localAnswer(deps, request, { signal, selection });
  if (request.offset + request.limit > SEARCH_LIMITS.size) {
    throw badQuery(`only the first ${SEARCH_LIMITS.size} hits of a federation can be paged to: add scope=local`);
  }
  const notice = obstacle(deps, request);
  if (notice !== undefined) return localAnswer(deps, request, { signal, notice });
  return ask({ ...deps, calls: peers.calls }, request, selection, signal);
}

/** Why the question is not put to peers. */
function obstacle({ mayAskAnonymously }: FederatedSearchDeps, request: FederatedRequest): string | undefined {
  if (Buffer.byteLength(JSON.stringify(messageFor(request, ""))) > SEARCH_LIMITS.requestBytes) {
    return "this is the answer of this archive alone: for its peers the query is too long";
  }
  if (Buffer.byteLength(request.q) > SEARCH_LIMITS.queryBytes) {
    return "this is the answer of this archive alone: for its peers the query is too long";
  }
  if (request.audience === "public" && !mayAskAnonymously()) {
    return "this is the answer of this archive alone: too many ask the federation now; try again in a second or send the token";
  }
  return undefined;
}

/** What a peer is asked; its time is added when it is sent. */
function messageFor(request: FederatedRequest, queryId: string): SearchRequestMessage {
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

interface LocalReason {
  readonly signal: AbortSignal;
  readonly selection?: Selection;
  readonly notice?: string;
}

/** The index of this node alone, in the shape of all answers. */
async function localAnswer(
  deps: FederatedSearchDeps,
  request: FederatedRequest,
  { signal, selection, notice }: LocalReason,
): Promise<FederatedAnswer> {
  const { local, clock, self } = deps;
  // Whoever names a time gets an answer or a refusal by then; else an index that is alone may take longer.
  using deadline = new Deadline(clock, request.timeoutMs ?? ALONE_MS, signal);
  const found = await local.search(request, deadline.signal);
  const unasked = (selection?.others ?? []).map(({ peer, status }) => peerLine(peer, { status }));
  return {
    ...found,
    totalIsLowerBound: found.totalIsLowerBound || unasked.length > 0 || notice !== undefined,
    hits: found.hits.map((hit) => ({ ...hit, sources: [self] })),
    ...{ ranking: "approximate", peers: unasked },
    coverage: { peers: { selected: 0, answered: 0, partial: 0, failed: 0 } },
    ...(notice === undefined ? {} : { notice }),
  };
}

/** With somebody to ask. */
interface AskingDeps extends FederatedSearchDeps {
  readonly calls: Pick<PeerCalls, "json">;
}

async function ask(
  deps: AskingDeps,
  request: FederatedRequest,
  { asked, others }: Selection,
  signal: AbortSignal,
): Promise<FederatedAnswer> {
  const { clock, queryId } = deps;
  const startedMs = clock.monotonicMs();
  const budgetMs = budgetOf(deps, request);
  using deadline = new Deadline(clock, budgetMs, signal);
  const message = messageFor(request, queryId());
  const outcomes = new Map<string, AskedPeer>();
  let own: { readonly leaf?: Leaf; readonly isCut: boolean; readonly error?: Error } | undefined;
  const units = countUnits(parseQuery(request.q).groups);
  const calls = asked.map(async (peer) => {
    outcomes.set(peer.nodeId, await askPeer(deps, peer, { message, deadline, units }));
  });
  const local = askOwn(deps, request, { message, deadline, units }).then(
    (leaf) => {
      own = leaf;
    },
    (error: unknown) => {
      own = { isCut: true, error: error instanceof Error ? error : new Error(String(error)) };
    },
  );
  await until(deadline.signal, Promise.all([...calls, local]));
  signal.throwIfAborted();
  const answered = asked.map((peer): [KnownPeer, AskedPeer] => [
    peer,
    outcomes.get(peer.nodeId) ?? { status: "timeout", tookMs: Math.round(clock.monotonicMs() - startedMs) },
  ]);
  note(deps, answered, budgetMs);
  const leaves = [...answered.flatMap(([, { leaf }]) => leaf ?? []), ...(own?.leaf === undefined ? [] : [own.leaf])];
  if (leaves.length === 0 && own?.error !== undefined) throw own.error;
  const isPart = own?.isCut !== false || others.length > 0 || answered.some(([, { status }]) => status !== "ok");
  return {
    ...toAnswer(request, mergeLeaves(leaves), { answered, others, isPart }),
    tookMs: Math.round(clock.monotonicMs() - startedMs),
    ...(own?.leaf === undefined ? { notice: "the index of this archive did not answer in time: ask again" } : {}),
  };
}

interface Asking {
  readonly message: SearchRequestMessage;
  readonly deadline: Deadline;
  readonly units: number;
}

/** The index of this node under the rules of a peer's; checked like one, so that all are alike. */
async function askOwn({ leaf, self }: FederatedSearchDeps, request: FederatedRequest, asking: Asking) {
  const { message, deadline, units } = asking;
  const { from, to } = request;
  const answer = await leaf.ask(
    {
      ...{ query: request.q, collections: request.collections, size: message.size ?? request.limit },
      filters: { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) },
      ...{ budgetMs: deadline.leftMs - MERGE_MS, features: true, stats: true },
    },
    deadline.signal,
  );
  const checked = checkAnswer(answer, { nodeId: self, size: message.size ?? request.limit, units });
  if (checked === undefined) throw new Error("the answer of this node's own index does not fit its schema");
  return { leaf: checked.leaf, isCut: checked.timedOut };
}

async function askPeer(
  { calls, clock }: AskingDeps,
  peer: KnownPeer,
  { message, deadline, units }: Asking,
): Promise<AskedPeer> {
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
    const { leaf, dropped, timedOut } = checked;
    if (leaf.stats === undefined) return { status: "incompatible", leaf, tookMs: tookMs() };
    return { status: timedOut || dropped > 0 ? "partial" : "ok", leaf, tookMs: tookMs() };
  } catch (error) {
    return { status: deadline.signal.aborted ? "timeout" : failureOf(error), tookMs: tookMs() };
  }
}

/** A peer that was given less says nothing of itself by being late. */
const FAIR_MS = 1_000;

function note({ breakers, metrics }: FederatedSearchDeps, answered: readonly [KnownPeer, AskedPeer][], ms: number) {
  for (const [{ nodeId }, { status }] of answered) {
    metrics.asked(status);
    if (status === "ok" || status === "partial") breakers.succeeded(nodeId);
    else if (status !== "timeout" || ms >= FAIR_MS) breakers.failed(nodeId);
  }
}
