/**
 * `POST /api/v1/federation/search`: ranked hits of this node's own index for another node. Never asked on: whoever sends on
 * a question that it was sent is refused, so that no question can go in circles.
 */
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import type { AccessPolicy } from "../../../archive/access.ts";
import type { LeafSearchService } from "../../../archive/archive.ts";
import { ANONYMOUS, type Caller } from "../../../archive/caller.ts";
import {
  SEARCH_LIMITS,
  SearchAnswerSchema,
  type SearchRequestMessage,
  SearchRequestSchema,
} from "../../../asfp/search-messages.ts";
import { TokenBuckets } from "../../../asfp/token-buckets.ts";
import type { CallerOf } from "../../authenticate.ts";
import { HttpProblem } from "../../problem.ts";
import { requestSignal } from "../../request-signal.ts";
import { ProblemReplies } from "../../schemas.ts";
import { strictBody } from "../../strict-body.ts";
import { FEDERATION_PATH } from "./sync-options.ts";

export interface LeafSearchRoutesOptions {
  readonly leaf: LeafSearchService;
  readonly access: AccessPolicy;
  readonly callerOf: CallerOf;
  /** In private mode only trusted peers, and who holds the token, may ask. */
  readonly isPrivate: () => boolean;
  /** Whether the node has the capability `search`. */
  readonly hasSearch: boolean;
  readonly monotonicMs: () => number;
}

const DEFAULT_SIZE = 20;
const BUSY_RETRY_MS = 1_000;

export const leafSearchRoutes: FastifyPluginAsyncTypebox<LeafSearchRoutesOptions> = async (app, options) => {
  const rates = new TokenBuckets(SEARCH_LIMITS, options.monotonicMs);
  let running = 0;
  app.post(
    `${FEDERATION_PATH}/search`,
    {
      bodyLimit: SEARCH_LIMITS.requestBytes,
      validatorCompiler: strictBody,
      schema: {
        summary: "Search this node's own index, for another node",
        body: SearchRequestSchema,
        response: { 200: SearchAnswerSchema, ...ProblemReplies },
      },
      onRequest: async (request) => {
        if (!options.hasSearch) throw new HttpProblem("feature-unsupported", "this node lacks the capability search");
        admit(request, options);
        const retryAfterMs = rates.take(nameOf(options.callerOf(request), request));
        if (retryAfterMs > 0) {
          const detail = `at most ${SEARCH_LIMITS.perSecond} searches a second`;
          throw new HttpProblem("rate-limited", detail, { retryAfterMs });
        }
      },
    },
    async (request) => {
      if (running >= SEARCH_LIMITS.concurrent) {
        throw new HttpProblem("overloaded", `at most ${SEARCH_LIMITS.concurrent} searches at once`, {
          retryAfterMs: BUSY_RETRY_MS,
        });
      }
      running += 1;
      try {
        return await answer(request.body, options.callerOf(request), options, requestSignal(request));
      } finally {
        running -= 1;
      }
    },
  );
};

function admit(request: FastifyRequest, { callerOf, isPrivate }: LeafSearchRoutesOptions): void {
  const caller = callerOf(request);
  const isKnown = caller.kind === "token" || (caller.kind === "peer" && caller.isTrusted);
  if (isKnown || !isPrivate()) return;
  throw new HttpProblem("auth-required", "this node is private: handshake with a key that its trust document names");
}

function nameOf(caller: Caller, request: FastifyRequest): string {
  return caller.kind === "peer" ? caller.nodeId : request.ip;
}

async function answer(
  message: SearchRequestMessage,
  caller: Caller,
  { leaf, access }: LeafSearchRoutesOptions,
  signal: AbortSignal,
) {
  const { query, size = DEFAULT_SIZE, features = false, stats = false, hops = 0, filters = {} } = message;
  if (hops > 0) {
    throw new HttpProblem("loop-detected", "ask with hops 0: a node answers only who asks first hand");
  }
  if (Buffer.byteLength(query) > SEARCH_LIMITS.queryBytes) {
    throw new HttpProblem("bad-query", `shorten the query: at most ${SEARCH_LIMITS.queryBytes} bytes`);
  }
  const { collections: named, ...bounds } = filters;
  // A peer that asks for a member of its own sees what peers may see; everybody else what anyone may.
  const reader = message.audience === "member" && caller.kind === "peer" ? caller : ANONYMOUS;
  const readable = access.allReadable(reader).map(({ name }) => name);
  const collections = named === undefined ? readable : readable.filter((name) => named.includes(name));
  const found = await leaf.ask(
    { ...{ query, collections, filters: bounds, size, features, stats }, budgetMs: budgetOf(message) },
    signal,
  );
  return { ...(message.query_id === undefined ? {} : { query_id: message.query_id }), ...found };
}

function budgetOf({ timeout_ms: asked = SEARCH_LIMITS.defaultTimeoutMs }: SearchRequestMessage): number {
  return Math.min(SEARCH_LIMITS.mostTimeoutMs, Math.max(SEARCH_LIMITS.leastTimeoutMs, asked));
}
