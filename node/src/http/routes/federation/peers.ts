/**
 * `GET|HEAD /api/v1/federation/peers`: peers that this node has reached and that are alive, and the node itself. The ETag is
 * the state of the whole list, so that whoever has all of it is told so in a few bytes; `HEAD` is how peers see that a node lives.
 */
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import { FEDERATION_PATH } from "../../../contract/federation-url.ts";
import type { CallerOf } from "../../authenticate.ts";
import { HttpProblem } from "../../problem.ts";
import { ProblemReplies } from "../../schemas.ts";

const MAX_RECORDS = 500;

/** One page; `cursor` is where the next one, or the next change, begins. */
export interface PeersPageReply {
  readonly peers: readonly object[];
  readonly cursor: string;
  readonly more: boolean;
  readonly digest: string;
  readonly count: number;
}

export interface PeersRoutesOptions {
  readonly callerOf: CallerOf;
  readonly isPrivate: () => boolean;
  readonly page: (since: string | undefined, limit: number) => PeersPageReply;
  readonly digest: () => string;
}

const Query = Type.Object({
  since: Type.Optional(Type.String({ maxLength: 64, description: "The `cursor` of the page before" })),
  limit: Type.Integer({ minimum: 1, maximum: MAX_RECORDS, default: MAX_RECORDS }),
});
const Reply = Type.Object({
  peers: Type.Array(
    Type.Object({
      node_id: Type.String(),
      endpoint: Type.String(),
      capabilities: Type.Array(Type.String()),
      version: Type.String(),
      last_seen_ms_ago: Type.Integer(),
      state: Type.String(),
      record: Type.Unsafe<unknown>({ description: "Signed by the peer; passed on as it came" }),
      sig: Type.String(),
    }),
  ),
  cursor: Type.String(),
  more: Type.Boolean(),
  digest: Type.String(),
  count: Type.Integer(),
});

export const peersRoutes: FastifyPluginAsyncTypebox<PeersRoutesOptions> = async (app, options) => {
  app.get(
    `${FEDERATION_PATH}/peers`,
    {
      schema: {
        summary: "Peers that this node has reached and that are alive",
        querystring: Query,
        response: { 200: Reply, 304: Type.Null(), ...ProblemReplies },
      },
      // The page is text already: records pass through unchanged.
      serializerCompiler: () => JSON.stringify,
    },
    async (request, reply) => {
      const caller = options.callerOf(request);
      const isKnown = caller.kind === "token" || (caller.kind === "peer" && caller.isTrusted);
      if (options.isPrivate() && !isKnown) {
        throw new HttpProblem("auth-required", "this node tells its peers to trusted peers only: handshake first");
      }
      const etag = `"${options.digest()}"`;
      reply.header("etag", etag).header("cache-control", "no-cache");
      if (request.headers["if-none-match"] === etag) return reply.code(304).send(null);
      if (request.method === "HEAD") return reply.type("application/json").send(null as never);
      return options.page(request.query.since, request.query.limit) as never;
    },
  );
};
