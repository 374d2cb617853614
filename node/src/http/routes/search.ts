/** `GET /api/v1/search`: parse, call the search, shape the reply. No search logic here. */
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import type { AccessPolicy } from "../../archive/access.ts";
import type { SearchAnswer, SearchService } from "../../archive/archive.ts";
import type { Caller } from "../../archive/caller.ts";
import type { CallerOf } from "../authenticate.ts";
import { deadlineSignal } from "../request-signal.ts";
import { CollectionName, PartialTimestamp, ProblemReplies } from "../schemas.ts";

export interface SearchRoutesOptions {
  readonly search: SearchService;
  readonly access: AccessPolicy;
  readonly callerOf: CallerOf;
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
});

const Reply = Type.Object({
  total: Type.Integer({ minimum: 0 }),
  totalIsLowerBound: Type.Boolean(),
  hits: Type.Array(Hit),
  facets: Type.Object({ host: Facets, type: Facets, language: Facets, year: Facets }),
  tookMs: Type.Number({ minimum: 0 }),
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
      const { q, limit, offset, from, to, collection } = request.query;
      const collections = readable(options.callerOf(request), collection, options.access);
      const question = { q, collections, limit, offset, from, to };
      return shape(await options.search.search(question, deadlineSignal(request, options.deadlineMs)));
    },
  );
};

function readable(caller: Caller, names: readonly string[] | undefined, access: AccessPolicy): string[] {
  if (names !== undefined) return names.map((name) => access.readable(caller, name).name);
  return access.allReadable(caller).map((collection) => collection.name);
}

function shape(answer: SearchAnswer) {
  const { host, type, language, year } = answer.facets;
  return {
    ...answer,
    hits: answer.hits.map(({ language: spoken, ...hit }) => ({
      ...hit,
      ...(spoken === undefined ? {} : { language: spoken }),
    })),
    facets: { host: [...host], type: [...type], language: [...language], year: [...year] },
  };
}
