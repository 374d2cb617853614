/**
 * How other archives learn what is here and copy it: `GET /collections`, `GET /sync/changes`, `POST /sync` and
 * `GET|HEAD /blob/{hash}` below `/api/v1/federation`. Nothing is ever pushed: who wants a file fetches it.
 */
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import type { AccessPolicy } from "../../../archive/access.ts";
import type { Caller } from "../../../archive/caller.ts";
import {
  bareHash,
  type Change,
  CURSOR,
  formatCursor,
  parseCursor,
  SYNC_LIMITS,
  type SyncRequest,
  type WithdrawnChange,
} from "../../../asfp/sync-messages.ts";
import type { CollectionConfig } from "../../../contract/config-schema.ts";
import { downloadHeaders } from "../../download-headers.ts";
import { HttpProblem } from "../../problem.ts";
import { requestSignal } from "../../request-signal.ts";
import { CollectionName, Hash, ProblemReplies } from "../../schemas.ts";
import { strictBody } from "../../strict-body.ts";
import { blobRoute } from "./blob.ts";
import { FEDERATION_PATH, type SyncRoutesOptions } from "./sync-options.ts";

const AccessReply = Type.Union([Type.Literal("Public"), Type.Literal("Federation"), Type.Literal("Private")]);
const CollectionsReply = Type.Object({
  collections: Type.Array(Type.Object({ name: CollectionName, access: AccessReply })),
});
const ChangesQuery = Type.Object(
  {
    collection: CollectionName,
    since: Type.Optional(Type.String({ pattern: CURSOR.source, description: "The `next` of the page before" })),
    limit: Type.Integer({ minimum: 1, maximum: SYNC_LIMITS.items, default: SYNC_LIMITS.items }),
  },
  { additionalProperties: false },
);
const HaveReply = Type.Object({
  seq: Type.Integer(),
  op: Type.Literal("have"),
  hash: Hash,
  size: Type.Integer(),
  t: Type.Integer({ description: "Second in which the content was made; 0 when that is not known" }),
  media: Type.String(),
  filename: Type.Optional(Type.String()),
});
const WithdrawnReply = Type.Object({ seq: Type.Integer(), op: Type.Literal("withdrawn"), hash: Hash });
const ChangesReply = Type.Object({
  epoch: Type.String(),
  items: Type.Array(Type.Union([HaveReply, WithdrawnReply])),
  next: Type.String(),
  more: Type.Boolean(),
});
const OfferBody = Type.Object({
  collection: Type.Optional(CollectionName),
  have: Type.Array(Type.String({ pattern: "^(sha256:)?[0-9a-f]{64}$" })),
  cursor: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
});
const OfferReply = Type.Object({ want: Type.Array(Hash), cursor: Type.String() });

export const syncRoutes: FastifyPluginAsyncTypebox<SyncRoutesOptions> = async (app, options) => {
  const { access, callerOf } = options;
  app.addHook("onRequest", async () => {
    if (!options.hasStore) throw new HttpProblem("feature-unsupported", "this node lacks the capability store");
  });
  await app.register(blobRoute, options);

  app.get(
    `${FEDERATION_PATH}/collections`,
    {
      schema: {
        summary: "Collections whose files the caller may copy",
        response: { 200: CollectionsReply, ...ProblemReplies },
      },
    },
    (request) => ({
      collections: access.allReadableWhole(listReader(request, options)).map(({ name, access: who }) => ({
        ...{ name, access: who },
      })),
    }),
  );

  app.get(
    `${FEDERATION_PATH}/sync/changes`,
    {
      schema: {
        summary: "Files of a collection in the order in which they came, or were withdrawn",
        querystring: ChangesQuery,
        response: { 200: ChangesReply, ...ProblemReplies },
      },
    },
    (request) =>
      changes(request.query, collectionFor(listReader(request, options), request.query.collection, access), {
        options,
        signal: requestSignal(request),
      }),
  );

  app.post(
    `${FEDERATION_PATH}/sync`,
    {
      bodyLimit: SYNC_LIMITS.requestBytes,
      validatorCompiler: strictBody,
      schema: {
        summary: "Offer files; the answer names those that this node will fetch",
        body: OfferBody,
        response: { 200: OfferReply, ...ProblemReplies },
      },
    },
    async (request) => {
      listReader(request, options);
      const { body } = request;
      const want = await wanted(callerOf(request), body, options, requestSignal(request));
      return { want: [...want], cursor: body.cursor ?? "" };
    },
  );
};

/** Who may see lists now: in public mode everyone, in private mode trusted peers and who holds the token. */
function listReader(request: FastifyRequest, { callerOf, isPrivate }: SyncRoutesOptions): Caller {
  const caller = callerOf(request);
  const isKnown = caller.kind === "token" || (caller.kind === "peer" && caller.isTrusted);
  if (isPrivate() && !isKnown) {
    throw new HttpProblem("auth-required", "this node is private: handshake with a key that its trust document names");
  }
  return caller;
}

/** A collection that the caller may not copy is as unknown to it as one that is not there. */
function collectionFor(caller: Caller, name: string, access: AccessPolicy): CollectionConfig {
  const found = access.allReadableWhole(caller).find((collection) => collection.name === name);
  if (found === undefined) throw new HttpProblem("collection-unknown", `no collection "${name}" to copy here`);
  return found;
}

async function changes(
  query: { readonly since?: string; readonly limit: number },
  { name }: CollectionConfig,
  { options, signal }: { readonly options: SyncRoutesOptions; readonly signal: AbortSignal },
) {
  const since = query.since === undefined ? undefined : parseCursor(query.since);
  const page = await options.holdings.changes(name, { after: since?.seq ?? 0, limit: query.limit }, signal);
  const { epoch } = page;
  if (page.blobs === undefined || (since !== undefined && since.epoch !== epoch)) {
    throw new HttpProblem("cursor-expired", "the list has been made anew: read it without since", {
      members: { epoch },
    });
  }
  const withdrawn = page.withdrawn.map(
    ({ sequence, hash }): WithdrawnChange => ({ seq: sequence, op: "withdrawn", hash }),
  );
  const have = page.blobs.map(
    ({ sequence, hash, size, filename, format, compression, createdSeconds = 0 }): Change => ({
      ...{ seq: sequence, op: "have", hash, size, t: createdSeconds },
      media: downloadHeaders({ hash, format, compression })["content-type"],
      ...(filename === undefined ? {} : { filename }),
    }),
  );
  const items = [...have, ...withdrawn].sort((one, other) => one.seq - other.seq);
  return { epoch, items, next: formatCursor({ epoch, seq: page.next }), more: page.more };
}

async function wanted(
  caller: Caller,
  { collection, have }: SyncRequest,
  { access, offers }: SyncRoutesOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (have.length > SYNC_LIMITS.items) {
    const detail = `send at most ${SYNC_LIMITS.items} hashes at once`;
    throw new HttpProblem("too-many-items", detail, { members: { limit: SYNC_LIMITS.items } });
  }
  const name = collection ?? access.allReadableWhole(caller)[0]?.name;
  if (caller.kind !== "peer" || name === undefined) return [];
  return offers.offered(caller.nodeId, { collection: name, hashes: [...new Set(have.map(bareHash))] }, signal);
}
