/** Wires the search that users ask: this node's index and its peers'. */
import { randomBytes } from "node:crypto";
import type { Registry } from "prom-client";
import type { ArchiveServices, FederatedSearchService } from "./archive/archive.ts";
import { SEARCH_LIMITS } from "./asfp/search-messages.ts";
import { TokenBuckets } from "./asfp/token-buckets.ts";
import type { NodeIdentity } from "./identity/node-identity.ts";
import type { PeerCalls, PeerDirectory } from "./peers/peer-calls.ts";
import { Breakers } from "./search/breakers.ts";
import { SYSTEM_CLOCK } from "./search/deadline.ts";
import { createFederatedSearch } from "./search/federated-search.ts";
import { KnownDocuments } from "./search/known-documents.ts";
import { createFederatedMetrics } from "./search/metrics.ts";

export interface SearchParts {
  readonly services: Pick<ArchiveServices, "search" | "leaf">;
  readonly identity: NodeIdentity;
  readonly registry: Registry;
  /** Absent: there is nobody to ask. */
  readonly peers: { readonly calls: PeerCalls; readonly directory: PeerDirectory } | undefined;
}

/** Questions of everybody without a token together that may go to peers: every one of them costs each peer a search. */
const ANONYMOUS_RATE = { perSecond: SEARCH_LIMITS.perSecond, burst: SEARCH_LIMITS.perSecond };

export function composeSearch({ services, identity, registry, peers }: SearchParts): FederatedSearchService {
  const breakers = new Breakers(SYSTEM_CLOCK.monotonicMs);
  const anonymous = new TokenBuckets(ANONYMOUS_RATE, SYSTEM_CLOCK.monotonicMs);
  return createFederatedSearch({
    local: services.search,
    leaf: services.leaf,
    peers,
    self: identity.keys().nodeId,
    settings: () => identity.federation.current?.search ?? {},
    mayAskAnonymously: () => anonymous.take("anonymous") === 0,
    breakers,
    known: new KnownDocuments(SYSTEM_CLOCK.monotonicMs),
    clock: SYSTEM_CLOCK,
    metrics: createFederatedMetrics(registry, () => breakers.open),
    queryId: () => randomBytes(16).toString("hex"),
  });
}
