/** The admin API of `contract/admin-api.ts`: status with ETag, documents, drain. */
import { createHash } from "node:crypto";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import { ADMIN_PATHS, type AdminStatus, AdminStatusSchema, DrainRequestSchema } from "../../contract/admin-api.ts";

export interface AdminRoutesOptions {
  readonly status: () => AdminStatus;
  /** Throw `IdentityError`. */
  readonly offerTrust: (document: unknown) => Promise<void>;
  readonly offerFederation: (document: unknown) => Promise<void>;
  /** Resolves when nothing runs any more, or at the deadline; true when it was all finished. */
  readonly drain: (deadlineMs: number) => Promise<boolean>;
}

export const adminRoutes: FastifyPluginAsyncTypebox<AdminRoutesOptions> = async (app, options) => {
  app.get(
    ADMIN_PATHS.status,
    { schema: { response: { 200: AdminStatusSchema, 304: Type.Null() } } },
    async (request, reply) => {
      const status = options.status();
      const etag = `"${createHash("sha256").update(JSON.stringify(status)).digest("base64url")}"`;
      reply.header("etag", etag);
      if (request.headers["if-none-match"] === etag) return reply.code(304).send(null);
      return status;
    },
  );

  app.put(ADMIN_PATHS.trust, async (request) => {
    await options.offerTrust(request.body);
    return options.status().trust;
  });

  app.put(ADMIN_PATHS.federation, async (request) => {
    await options.offerFederation(request.body);
    return options.status().federation;
  });

  app.post(ADMIN_PATHS.drain, { schema: { body: DrainRequestSchema } }, async (request) => ({
    finished: await options.drain(request.body.deadlineMs),
  }));
};
