/** `GET /api/v1/search`: parse, call the federated search, shape the reply. No search logic here. */
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import type { AccessPolicy } from "../../archive/access.ts";
import type { FederatedAnswer, FederatedSearchService } from "../../archive/archive.ts";
import type { Caller } from "../../archive/caller.ts";
import { replayPath } from "../../contract/index.ts";
import type { CallerOf } from "../authenticate.ts";
import { deadlineSignal } from "../request-signal.ts";
import { CollectionName, PartialTimestamp, ProblemReplies } from "../schemas.ts";

export interface SearchRoutesOptions {
  readonly federated: FederatedSearchService;
  readonly access: AccessPolicy;
  readonly callerOf: CallerOf;
  /** Of this node. */
  readonly nodeId: () => string;
  /** Whole-request budget, milliseconds. */
  readonly deadlineMs: number;
}

const Query = Type.Object(
  {
    q: Type.String({
      minLength: 1,
      maxLength: 1024,
      description:
        'Words, "phrases", prefix*, -without, this OR that; host: (or site:) title: type: lang: year:2010-2014',
    }),
    collection: Type.Optional(Type.Array(CollectionName, { maxItems: 64 })),
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
    /** With the largest `limit`, the thousandth hit is the last that can be paged to. */
    offset: Type.Integer({ minimum: 0, maximum: 900, default: 0 }),
    from: Type.Optional(PartialTimestamp),
    to: Type.Optional(PartialTimestamp),
    scope: Type.Unsafe<"federation" | "local">({
      type: "string",
      enum: ["federation", "local"],
      default: "federation",
      description: "`federation` asks the node's peers too; then `offset` and `limit` together reach up to 100",
    }),
    timeout_ms: Type.Optional(
      Type.Integer({
        minimum: 50,
        maximum: 10_000,
        description: "Time for the answer; peers that take longer are left out. 2000, or as the node is told",
      }),
    ),
  },
  { additionalProperties: false },
);

const Facets = Type.Array(Type.Object({ value: Type.String(), count: Type.Integer({ minimum: 0 }) }));

const Hit = Type.Object({
  url: Type.String(),
  collection: CollectionName,
  timestamp: Type.String(),
  title: Type.String(),
  snippet: Type.String({ description: "HTML: escaped text with <mark> around matches" }),
  host: Type.String(),
  mime: Type.String(),
  language: Type.Optional(Type.String()),
  score: Type.Number(),
  captures: Type.Object({ count: Type.Integer(), first: Type.String(), last: Type.String() }),
  sources: Type.Array(Type.String(), { description: "Ids of the nodes that have the page" }),
  replay: Type.Optional(Type.String({ description: "Path that shows the page; absent when only other nodes have it" })),
});

const Count = Type.Integer({ minimum: 0 });
const Archive = Type.Object({
  node_id: Type.String(),
  status: Type.String({
    description:
      "ok, partial, timeout, unreachable, breaker_open (failed too often lately), dead, refused, incompatible (no answer, or hits that only its own order ranks: they come last), not_selected",
  }),
  took_ms: Count,
  returned: Type.Integer({ minimum: 0, description: "Hits that it sent" }),
  used: Type.Integer({ minimum: 0, description: "Hits of this answer that it has" }),
  documents: Type.Optional(
    Type.Integer({ minimum: 0, description: "All that it shows to you, as it said last; absent while it never did" }),
  ),
});
const Coverage = Type.Object({
  documents: Type.Number({
    minimum: 0,
    maximum: 1,
    description: "Documents of the archives that answered, as part of those of all archives whose number is known",
  }),
  local: Type.Object(Archive.properties, { description: "The archive that you ask" }),
  peers: Type.Object({ selected: Count, answered: Count, partial: Count, failed: Count }),
});

const Reply = Type.Object({
  total: Type.Integer({
    minimum: 0,
    description: "Of several archives: added up; a page that more than one has may count more than once",
  }),
  totalIsLowerBound: Type.Boolean(),
  hits: Type.Array(Hit),
  facets: Type.Object({ host: Facets, type: Facets, language: Facets, year: Facets }),
  tookMs: Type.Number({ minimum: 0 }),
  coverage: Coverage,
  ranking: Type.Literal("approximate"),
  peers: Type.Array(Archive),
  notice: Type.Optional(Type.String({ description: "Why this is not the answer of the federation" })),
});

export const searchRoutes: FastifyPluginAsyncTypebox<SearchRoutesOptions> = async (app, options) => {
  app.get(
    "/api/v1/search",
    {
      schema: {
        summary: "Search the text of archived pages",
        querystring: Query,
        response: { 200: Reply, ...ProblemReplies },
      },
    },
    async (request) => {
      const { q, limit, offset, from, to, collection, scope, timeout_ms: timeoutMs } = request.query;
      const caller = options.callerOf(request);
      const collections = readable(caller, collection, options.access);
      const question = {
        ...{ q, collections, limit, offset, from, to, scope, timeoutMs, named: collection },
        audience: caller.kind === "token" ? ("member" as const) : ("public" as const),
      };
      const answer = await options.federated.search(question, deadlineSignal(request, options.deadlineMs));
      return shape(answer, options.nodeId());
    },
  );
};

function readable(caller: Caller, names: readonly string[] | undefined, access: AccessPolicy): string[] {
  if (names !== undefined) return names.map((name) => access.readable(caller, name).name);
  return access.allReadable(caller).map((collection) => collection.name);
}

function shape(answer: FederatedAnswer, nodeId: string) {
  const { host, type, language, year } = answer.facets;
  return {
    ...answer,
    peers: [...answer.peers],
    hits: answer.hits.map(({ language: spoken, sources, ...hit }) => ({
      ...{ ...hit, sources: [...sources] },
      ...(spoken === undefined ? {} : { language: spoken }),
      ...(sources.includes(nodeId) ? { replay: replayPath(hit.collection, hit.timestamp, hit.url) } : {}),
    })),
    facets: { host: [...host], type: [...type], language: [...language], year: [...year] },
  };
}
