/** The federated search of one archive over others in the same process: what they answer goes through JSON, as on the wire. */
import { Registry } from "prom-client";
import type { ArchiveServices, FederatedRequest, FederatedSearchService } from "../../node/src/archive/archive.ts";
import type { SearchRequestMessage } from "../../node/src/asfp/search-messages.ts";
import type { KnownPeer, PeerCalls } from "../../node/src/peers/peer-calls.ts";
import { Breakers } from "../../node/src/search/breakers.ts";
import { type Clock, SYSTEM_CLOCK } from "../../node/src/search/deadline.ts";
import { createFederatedSearch } from "../../node/src/search/federated-search.ts";
import { KnownDocuments } from "../../node/src/search/known-documents.ts";
import { createFederatedMetrics } from "../../node/src/search/metrics.ts";

/** How a peer answers. */
export type PeerAnswers = (
  message: SearchRequestMessage,
  signal: AbortSignal,
) => Promise<{ readonly status: number; readonly body: unknown }>;

export interface FederationOptions {
  readonly peers?: Readonly<Record<string, PeerAnswers>>;
  /** What differs from a peer that is alive and connected. */
  readonly known?: Readonly<Record<string, Partial<KnownPeer>>>;
  readonly clock?: Clock;
  readonly maxPeers?: number;
  readonly mayAskAnonymously?: () => boolean;
}

export const SELF = "self";

export function federationOf(
  { search, leaf }: Pick<ArchiveServices, "search" | "leaf">,
  options: FederationOptions,
): FederatedSearchService {
  const { peers = {}, known = {}, clock = SYSTEM_CLOCK, maxPeers } = options;
  const calls: Pick<PeerCalls, "json"> = {
    json: async (nodeId, { body }, { signal }) => {
      const answers = peers[nodeId];
      if (answers === undefined) throw new Error("no such peer");
      const { status, body: answer } = await answers(JSON.parse(JSON.stringify(body)) as SearchRequestMessage, signal);
      return { status, headers: {}, body: answer === undefined ? undefined : JSON.parse(JSON.stringify(answer)) };
    },
  };
  const breakers = new Breakers(clock.monotonicMs);
  return createFederatedSearch({
    local: search,
    leaf,
    peers: {
      calls,
      directory: { known: () => Object.keys(peers).map((nodeId) => ({ ...healthy(nodeId), ...known[nodeId] })) },
    },
    ...{ self: SELF, settings: () => ({ maxPeers }), mayAskAnonymously: options.mayAskAnonymously ?? (() => true) },
    known: new KnownDocuments(clock.monotonicMs),
    ...{ breakers, clock, metrics: createFederatedMetrics(new Registry(), () => breakers.open), queryId: () => "q" },
  });
}

function healthy(nodeId: string): KnownPeer {
  return {
    ...{ nodeId, state: "alive", trust: "verified", isTrusted: true, capabilities: ["search"], isConnected: true },
    ...{ rttMs: 1, weight: 100 },
  };
}

/** A peer that answers as its leaf does. */
export function leafPeer(leaf: ArchiveServices["leaf"], collections: readonly string[] = ["web"]): PeerAnswers {
  return async ({ query, size = 20, features = false, stats = false, timeout_ms: budgetMs = 2_000 }, signal) => ({
    status: 200,
    body: await leaf.ask({ query, collections, filters: {}, size, budgetMs, features, stats }, signal),
  });
}

export function asked(q: string, more: Partial<FederatedRequest> = {}): FederatedRequest {
  return {
    ...{ q, collections: ["web"], limit: 10, offset: 0, from: undefined, to: undefined, scope: "federation" },
    ...{ timeoutMs: 10_000, audience: "public", named: undefined },
    ...more,
  };
}
