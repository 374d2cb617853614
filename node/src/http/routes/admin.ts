/** The admin API of `contract/admin-api.ts`: status and reports with ETag, documents, drain. */
import { createHash } from "node:crypto";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import Type, { type TSchema } from "typebox";
import { ADMIN_PATHS, type AdminStatus, AdminStatusSchema, DrainRequestSchema } from "../../contract/admin-api.ts";
import {
  type AdminDiscoveries,
  AdminDiscoveriesSchema,
  type AdminPeers,
  AdminPeersSchema,
  type AdminPolicies,
  AdminPoliciesSchema,
} from "../../contract/federation-reports.ts";
import { DOCUMENT_NAMES, DOCUMENTS, type DocumentName } from "../../contract/sequenced-documents.ts";

/** A report that is the same object as before has not changed, and is not hashed again. */
export interface AdminReports {
  readonly peers: () => AdminPeers;
  readonly policies: () => AdminPolicies;
  readonly discoveries: () => AdminDiscoveries;
}

export interface AdminRoutesOptions {
  readonly status: () => AdminStatus;
  /** @throws {IdentityError} */
  readonly offer: (name: DocumentName, document: unknown) => Promise<void>;
  readonly reports: AdminReports;
  /** Resolves when nothing runs any more, or at the deadline; true when it was all finished. */
  readonly drain: (deadlineMs: number) => Promise<boolean>;
}

const REPORT_SCHEMAS: Readonly<Record<keyof AdminReports, TSchema>> = {
  peers: AdminPeersSchema,
  policies: AdminPoliciesSchema,
  discoveries: AdminDiscoveriesSchema,
};

export const adminRoutes: FastifyPluginAsyncTypebox<AdminRoutesOptions> = async (app, options) => {
  app.get(
    ADMIN_PATHS.status,
    { schema: { response: { 200: AdminStatusSchema, 304: Type.Null() } } },
    async (request, reply) => answerWithETag(request, reply, options.status()),
  );

  for (const name of Object.keys(REPORT_SCHEMAS) as (keyof AdminReports)[]) {
    app.get(
      ADMIN_PATHS[name],
      { schema: { response: { 200: REPORT_SCHEMAS[name], 304: Type.Null() } } },
      async (request, reply) => answerWithETag(request, reply, options.reports[name]()),
    );
  }

  for (const name of DOCUMENT_NAMES) {
    app.put(DOCUMENTS[name].adminPath, async (request) => {
      await options.offer(name, request.body);
      return options.status()[name];
    });
  }

  app.post(ADMIN_PATHS.drain, { schema: { body: DrainRequestSchema } }, async (request) => ({
    finished: await options.drain(request.body.deadlineMs),
  }));
};

const etags = new WeakMap<object, string>();

function answerWithETag(request: FastifyRequest, reply: FastifyReply, report: object): FastifyReply {
  const etag = etags.get(report) ?? `"${createHash("sha256").update(JSON.stringify(report)).digest("base64url")}"`;
  etags.set(report, etag);
  reply.header("etag", etag);
  if (request.headers["if-none-match"] === etag) return reply.code(304).send(null);
  return reply.send(report);
}
