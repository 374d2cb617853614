/**
 * One question to this node's index and to its peers' at once. Whatever they do, the answer is there when its time is over:
 * from those that answered, with what became of the others. Peers answer from their own index only; nothing is asked on.
 */
import type {
  FederatedAnswer,
  FederatedRequest,
  FederatedSearchService,
  LeafSearchService,
  SearchService,
} from "../archive/archive.ts";
import { SEARCH_LIMITS } from "../asfp/search-messages.ts";
import { countUnits } from "../fulltext/resolve.ts";
import type { PeerCalls, PeerDirectory } from "../peers/peer-calls.ts";
import { askOwn, askPeer, messageFor } from "./ask-archives.ts";
import type { Breakers } from "./breakers.ts";
import { type Clock, Deadline, until } from "./deadline.ts";
import { badQuery, isLate } from "./errors.ts";
import { archiveLine, documentsCovered, toAnswer } from "./federated-answer.ts";
import type { KnownDocuments } from "./known-documents.ts";
import { makeQuestion } from "./make-question.ts";
import { mergeLeaves } from "./merge.ts";
import type { FederatedMetrics } from "./metrics.ts";
import { type Asked, failureOf } from "./peer-outcome.ts";
import { type PeerSearchStatus, type Selection, selectPeers } from "./peer-selection.ts";
import { parseQuery } from "./query-parser.ts";

export interface FederatedSearchDeps {
  readonly local: SearchService;
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
  readonly known: KnownDocuments;
  readonly clock: Clock;
  readonly metrics: FederatedMetrics;
  readonly queryId: () => string;
}

const MAX_PEERS = 16;
/** The edge has its own limit, which is shorter. */
const ALONE_MS = 60_000;

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
  if (coverage.local.status !== "ok") return "partial";
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
  const { self, peers, settings, breakers, known } = deps;
  if (peers === undefined) return localAnswer(deps, request, { signal });
  const listed = peers.directory.known();
  const nodeIds = new Set(listed.map(({ nodeId }) => nodeId));
  breakers.keepOnly(nodeIds);
  known.keepOnly(new Set([...nodeIds, self]));
  const isOpen = (nodeId: string): boolean => breakers.isOpen(nodeId);
  const selection = selectPeers(listed, { self, maxPeers: settings().maxPeers ?? MAX_PEERS, isOpen });
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
  const { local, clock, self, known } = deps;
  const startedMs = clock.monotonicMs();
  // Whoever names a time gets an answer by then; else an index that is alone may take longer.
  using deadline = new Deadline(clock, request.timeoutMs ?? ALONE_MS, signal);
  let status: PeerSearchStatus = "ok";
  const found = await local.search(request, deadline.signal).catch((error: unknown) => {
    // Who asks one archive is told that it failed; who asks all gets what there is.
    if (request.scope === "local" || !isLate(error)) throw error;
    status = "timeout";
    return undefined;
  });
  if (found !== undefined) known.note(request, self, found.documents);
  const tookMs = Math.round(clock.monotonicMs() - startedMs);
  const shown = found?.hits.length ?? 0;
  const line = archiveLine({
    nodeId: self,
    status,
    tookMs,
    returned: shown,
    used: shown,
    documents: known.of(request, self),
  });
  const unasked = unaskedLines(deps, request, selection?.others ?? []);
  return {
    ...{ total: found?.total ?? 0, facets: found?.facets ?? NO_FACETS, tookMs, ranking: "approximate", peers: unasked },
    totalIsLowerBound: found?.totalIsLowerBound !== false || unasked.length > 0 || notice !== undefined,
    hits: found?.hits.map((hit) => ({ ...hit, sources: [self] })) ?? [],
    coverage: {
      ...{ documents: documentsCovered([line, ...unasked]), local: line },
      peers: { selected: 0, answered: 0, partial: 0, failed: 0 },
    },
    ...noticeOf(notice ?? ownNotice(status)),
  };
}

const NO_FACETS = { host: [], type: [], language: [], year: [] };

function noticeOf(notice: string | undefined) {
  return notice === undefined ? {} : { notice };
}

/** What a person is told when this archive's own index has no part in the answer, or none that counts. */
function ownNotice(status: PeerSearchStatus): string | undefined {
  if (status === "ok" || status === "partial") return undefined;
  if (status === "timeout")
    return "the index of this archive did not answer in time: ask again, or with a longer timeout_ms";
  return "the index of this archive did not answer: ask again in a second";
}

function unaskedLines({ known }: FederatedSearchDeps, request: FederatedRequest, others: Selection["others"]) {
  return others.map(({ peer: { nodeId }, status }) =>
    archiveLine({ nodeId, status, documents: known.of(request, nodeId) }),
  );
}

/**
 * No timeout to those who make the calls: they would count a peer as failing, for gossip and copies too, because somebody
 * gave a question little time. What a late peer is, the breakers of the search judge.
 */
const answerIsDue = (): Error => new DOMException("the question is answered without this peer", "AbortError");

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
  const { clock, queryId, self, known } = deps;
  const startedMs = clock.monotonicMs();
  const budgetMs = budgetOf(deps, request);
  using deadline = new Deadline(clock, budgetMs, signal, answerIsDue);
  const asking = {
    ...{ message: messageFor(request, queryId()), deadline },
    units: countUnits(parseQuery(request.q).groups),
  };
  const outcomes = new Map<string, Asked>();
  let failure: Error | undefined;
  const calls = asked.map(async (peer) => {
    outcomes.set(peer.nodeId, await askPeer(deps, peer, asking));
  });
  const own = askOwn(deps, request, asking).then(
    (outcome) => void outcomes.set(self, outcome),
    (error: unknown) => {
      const status = deadline.signal.aborted ? "timeout" : failureOf(error);
      if (status !== "timeout") failure = error instanceof Error ? error : new Error(String(error));
      outcomes.set(self, { status, tookMs: Math.round(clock.monotonicMs() - startedMs) });
    },
  );
  await until(deadline.signal, Promise.all([...calls, own]));
  signal.throwIfAborted();
  const outcomeOf = (nodeId: string): Asked =>
    outcomes.get(nodeId) ?? { status: "timeout", tookMs: Math.round(clock.monotonicMs() - startedMs) };
  const answered = asked.map(({ nodeId }): readonly [string, Asked] => [nodeId, outcomeOf(nodeId)]);
  const ownOutcome = outcomeOf(self);
  note(deps, answered, budgetMs);
  const leaves = [...answered.map(([, { leaf }]) => leaf), ownOutcome.leaf].filter((leaf) => leaf !== undefined);
  if (leaves.length === 0 && failure !== undefined) throw failure;
  for (const { nodeId, stats } of leaves) if (stats !== undefined) known.note(request, nodeId, stats.docs);
  const archives = {
    ...{ self, own: ownOutcome, asked: answered, others: unaskedLines(deps, request, others) },
    documentsOf: (nodeId: string) => known.of(request, nodeId),
  };
  return {
    ...toAnswer(request, mergeLeaves(leaves), archives),
    tookMs: Math.round(clock.monotonicMs() - startedMs),
    ...noticeOf(ownNotice(ownOutcome.status)),
  };
}

/** A peer that was given less says nothing of itself by being late. */
const FAIR_MS = 1_000;

function note({ breakers, metrics }: FederatedSearchDeps, answered: readonly (readonly [string, Asked])[], ms: number) {
  for (const [nodeId, { status }] of answered) {
    metrics.asked(status);
    if (status === "ok" || status === "partial") breakers.succeeded(nodeId);
    else if (status !== "timeout" || ms >= FAIR_MS) breakers.failed(nodeId);
  }
}
