/**
 * Admin port: mutual TLS, reached by the operator only. The client certificate must be signed by the operator's CA
 * and carry `CN=archive-operator`; the server certificate is for every `<pod>.<headless service>.<namespace>.svc` of the node.
 */
import Type, { type Static } from "typebox";
import { NodeIdSchema } from "./documents.ts";

export const ADMIN_CLIENT_NAME = "archive-operator";

export const ADMIN_PATHS = {
  /** GET, with ETag and If-None-Match. */
  status: "/admin/v1/status",
  /** PUT a trust document: 200 when taken, 409 when the sequence is not higher, 422 when the digest is wrong. */
  trust: "/admin/v1/documents/trust",
  /** PUT a federation document: as for trust. */
  federation: "/admin/v1/documents/federation",
  /** GET, with ETag: see federation-reports.ts for the three. */
  peers: "/admin/v1/peers",
  policies: "/admin/v1/policies",
  discoveries: "/admin/v1/discoveries",
  /** POST: stop taking writes, finish what runs, answer when done or after `deadlineMs`. */
  drain: "/admin/v1/drain",
} as const;

/** Observed state of one sequenced document; sequence 0 means that none was taken yet. */
export const ObservedDocumentSchema = Type.Object({
  sequence: Type.Integer({ minimum: 0 }),
  digest: Type.String({ maxLength: 71 }),
});

/** Body of GET status. Holds only facts that change rarely, so that its ETag stays: counts are metrics. */
export const AdminStatusSchema = Type.Object({
  nodeID: NodeIdSchema,
  version: Type.String({ maxLength: 64 }),
  /** Hash of the configuration the process started with (`configDigest` of its file), to see a stale pod. */
  configDigest: Type.String({ maxLength: 71 }),
  phase: Type.Union([
    Type.Literal("Starting"),
    Type.Literal("Serving"),
    Type.Literal("Draining"),
    /** Reads go on, writes are refused: the disk is full or read-only, or an index is damaged. */
    Type.Literal("Degraded"),
  ]),
  /** Why `Degraded`, or what a person should look at in any other phase, with what to do; empty when there is nothing. */
  message: Type.String({ maxLength: 1024 }),
  trust: ObservedDocumentSchema,
  federation: ObservedDocumentSchema,
  /** The `federation` port's certificate as served now. Times: RFC 3339, whole seconds. */
  certificate: Type.Object({
    notAfter: Type.String({ maxLength: 32 }),
    serial: Type.String({ maxLength: 64 }),
  }),
  /** End of the service key's delegation. */
  delegationNotAfter: Type.String({ maxLength: 32 }),
});
export type AdminStatus = Static<typeof AdminStatusSchema>;

export const DrainRequestSchema = Type.Object({ deadlineMs: Type.Integer({ minimum: 0, maximum: 600_000 }) });
export type DrainRequest = Static<typeof DrainRequestSchema>;
