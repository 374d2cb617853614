/** `GET /api/v1/collections`: what this caller may read. */
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import type { AccessPolicy } from "../../archive/access.ts";
import type { CallerOf } from "../authenticate.ts";
import { CollectionName, ProblemReplies } from "../schemas.ts";

export interface CollectionRoutesOptions {
  readonly access: AccessPolicy;
  readonly callerOf: CallerOf;
}

const Reply = Type.Object({
  collections: Type.Array(
    Type.Object({
      name: CollectionName,
      access: Type.Union([Type.Literal("Public"), Type.Literal("Federation"), Type.Literal("Private")]),
    }),
  ),
});

export const collectionRoutes: FastifyPluginAsyncTypebox<CollectionRoutesOptions> = async (app, options) => {
  app.get(
    "/api/v1/collections",
    { schema: { summary: "Collections the caller may read", response: { 200: Reply, ...ProblemReplies } } },
    (request) => ({
      collections: options.access.allReadable(options.callerOf(request)).map(({ name, access }) => ({ name, access })),
    }),
  );
};
