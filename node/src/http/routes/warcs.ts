/** `/api/v1/collections/{name}/warcs`: files in, their state, and the bytes out again. Storing is ingest's business. */
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { parse } from "content-disposition";
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import type { AccessPolicy } from "../../archive/access.ts";
import type { BlobContents, BlobInfo, BlobQueries, UploadService } from "../../archive/archive.ts";
import type { WithdrawalService } from "../../archive/withdrawals.ts";
import type { CallerOf } from "../authenticate.ts";
import { promisedSha256 } from "../digest-fields.ts";
import { DOWNLOAD_TYPES } from "../download-headers.ts";
import { withoutIdleLimit } from "../idle-limit.ts";
import { type BodyLimits, pacedBody } from "../paced-body.ts";
import { HttpProblem } from "../problem.ts";
import { requestSignal } from "../request-signal.ts";
import { BlobInfoSchema, CollectionName, Hash, ProblemReplies, textReply, UploadReceiptSchema } from "../schemas.ts";
import { sendBlob } from "../send-blob.ts";
import type { UploadSlots } from "../upload-slots.ts";

/** Types an archive file may be sent as; anything else is likelier a mistake than a WARC. */
const MEDIA_TYPES: ReadonlySet<string> = new Set([
  "application/warc",
  "application/warc-fields",
  "application/x-warc",
  "application/gzip",
  "application/x-gzip",
  "application/zstd",
  "application/octet-stream",
  "application/x-internet-archive",
]);

export interface WarcRoutesOptions {
  readonly uploads: UploadService;
  readonly withdrawals: WithdrawalService;
  readonly blobs: BlobQueries;
  readonly contents: BlobContents;
  readonly access: AccessPolicy;
  readonly callerOf: CallerOf;
  readonly body: BodyLimits;
  readonly slots: UploadSlots;
  readonly isDraining: () => boolean;
}

const Params = Type.Object({ name: CollectionName });
const BlobParams = Type.Object({ name: CollectionName, hash: Hash });
const UploadQuery = Type.Object(
  {
    filename: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    again: Type.Boolean({ default: false, description: "Also when the file was withdrawn from this collection" }),
  },
  { additionalProperties: false },
);
const ListQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
    /** The `next` of the page before. */
    after: Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$" })),
  },
  { additionalProperties: false },
);
const BlobPage = Type.Object({ blobs: Type.Array(BlobInfoSchema), next: Type.Optional(Type.String()) });

export const warcRoutes: FastifyPluginAsyncTypebox<WarcRoutesOptions> = async (app, options) => {
  const { access, blobs } = options;
  await app.register(uploadRoute, options);
  await app.register(withdrawRoute, options);

  app.get(
    "/api/v1/collections/:name/warcs",
    {
      schema: {
        summary: "Files of a collection, newest first",
        params: Params,
        querystring: ListQuery,
        response: { 200: BlobPage, ...ProblemReplies },
      },
    },
    async (request) => {
      const { name } = access.readable(options.callerOf(request), request.params.name);
      const { limit, after } = request.query;
      const page = await blobs.blobs(name, { limit, after }, requestSignal(request));
      return { blobs: page.blobs.map(blobReply), ...(page.next === undefined ? {} : { next: page.next }) };
    },
  );

  app.get(
    "/api/v1/collections/:name/warcs/:hash",
    {
      schema: {
        summary: "State of one file",
        params: BlobParams,
        response: { 200: BlobInfoSchema, ...ProblemReplies },
      },
    },
    async (request) => blobReply(await findBlob(request, request.params, options)),
  );

  app.get(
    "/api/v1/collections/:name/warcs/:hash/content",
    {
      schema: {
        summary: "The file, byte for byte as received",
        description: "Needs the token where the collection has an embargo or exclusions.",
        params: BlobParams,
        response: {
          200: textReply("All of it", ...DOWNLOAD_TYPES),
          206: textReply("The range asked for", ...DOWNLOAD_TYPES),
          304: { description: "Unchanged", type: "null" },
          ...ProblemReplies,
        },
      },
    },
    async (request, reply) => {
      access.readableWhole(options.callerOf(request), request.params.name);
      const blob = await findBlob(request, request.params, options);
      return sendBlob(request, reply, {
        ...{ blob, etag: `"sha256:${blob.hash}"`, cacheControl: "private, max-age=31536000, immutable" },
        read: (range) => options.contents.read(request.params.name, blob.hash, range, requestSignal(request)),
      });
    },
  );
};

const uploadRoute: FastifyPluginAsyncTypebox<WarcRoutesOptions> = async (app, options) => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.post(
    "/api/v1/collections/:name/warcs",
    {
      // The body is a stream with its own limit; fastify's is for bodies it reads itself.
      bodyLimit: Number.MAX_SAFE_INTEGER,
      schema: {
        summary: "Store a WARC or ARC file",
        description:
          "Answers when the file is on disk and its captures are committed. Its name, for CDX answers: `filename`, or Content-Disposition.",
        consumes: [...MEDIA_TYPES],
        security: [{ token: [] }],
        params: Params,
        querystring: UploadQuery,
        response: { 200: UploadReceiptSchema, 201: UploadReceiptSchema, ...ProblemReplies },
      },
    },
    async (request, reply) => {
      const { name } = options.access.writable(options.callerOf(request), request.params.name);
      checkUpload(request, options);
      const release = options.slots.tryTake();
      if (release === undefined) throw new HttpProblem("overloaded", "too many uploads run at once; try again soon");
      try {
        continueIfAsked(request, reply);
        const promises = {
          collection: name,
          filename: request.query.filename ?? offeredName(request.headers["content-disposition"]),
          sizeBytes: declaredLength(request),
          sha256: promisedSha256(request.headers),
          again: request.query.again,
        };
        // The sender's pace is watched by the body itself.
        const { created, digests, ...receipt } = await withoutIdleLimit(request, () =>
          options.uploads.upload(pacedBody(request.raw, options.body), promises, requestSignal(request)),
        );
        reply.header("location", `/api/v1/collections/${name}/warcs/${receipt.hash}`);
        const damaged = [...receipt.damaged];
        return await reply.code(created ? 201 : 200).send({ ...receipt, damaged, ...(digests && { digests }) });
      } finally {
        release();
      }
    },
  );
};

const Withdrawn = Type.Object({
  hash: Hash,
  withdrawnAt: Type.String(),
  detail: Type.String({ description: "What is still to be done" }),
});

const withdrawRoute: FastifyPluginAsyncTypebox<WarcRoutesOptions> = async (app, options) => {
  app.delete(
    "/api/v1/collections/:name/warcs/:hash",
    {
      schema: {
        summary: "Withdraw a file from a collection",
        description:
          "Its captures, its text and, unless another collection holds it, its bytes are gone when 204 is answered. The archive " +
          "remembers it: copies from peers do not bring it back, uploads only with `again`. Repeating it is harmless.",
        security: [{ token: [] }],
        params: BlobParams,
        response: {
          202: Withdrawn,
          204: { description: "It is gone", type: "null" },
          ...ProblemReplies,
        },
      },
    },
    async (request, reply) => {
      const { hash } = request.params;
      const { name } = options.access.writable(options.callerOf(request), request.params.name);
      if (options.isDraining()) throw new HttpProblem("draining", "the node is shutting down; repeat it later");
      const withdrawn = await withoutIdleLimit(request, () =>
        options.withdrawals.withdraw(name, hash, requestSignal(request)),
      );
      if (withdrawn === undefined) throw unknownBlob(name);
      if (withdrawn.isTextOut) return reply.code(204).send(null);
      const detail = "searches may find its text until the indexer gets to it: repeat the request to wait for that";
      return reply.code(202).send({ hash, withdrawnAt: withdrawn.withdrawnAt, detail });
    },
  );
};

/** Everything that can be refused before the first byte of the body is read. */
function checkUpload(request: FastifyRequest, options: WarcRoutesOptions): void {
  if (options.isDraining()) throw new HttpProblem("draining", "the node is shutting down; send it again later");
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== undefined && !MEDIA_TYPES.has(type)) {
    throw new HttpProblem("media-type-unsupported", wrongType(type));
  }
  if (request.headers["content-encoding"] !== undefined) {
    throw new HttpProblem("media-type-unsupported", "send the file itself, without a Content-Encoding");
  }
  const length = declaredLength(request);
  if (length !== undefined && length > options.body.maxBytes) {
    throw new HttpProblem("payload-too-large", `this node takes files of up to ${options.body.maxBytes} bytes`);
  }
  promisedSha256(request.headers);
}

/** What a form's types mean is a flag of curl that makes a form of a file. */
function wrongType(type: string): string {
  const types = [...MEDIA_TYPES].join(", ");
  if (type === "application/x-www-form-urlencoded") {
    return `this is what curl calls the body of -d and --data-binary; send the file with -T FILE -X POST, or add -H "Content-Type: application/octet-stream". Types taken: ${types}`;
  }
  if (type === "multipart/form-data") {
    return `a form with a file in it (-F of curl) is not read; send the file alone, with -T FILE -X POST of curl. Types taken: ${types}`;
  }
  return `send it as one of: ${types}; with curl, -T FILE -X POST sends no type, which is right too`;
}

const LONGEST_NAME = 255;

/** The last part of a path in a `Content-Disposition`; a header that cannot be understood names nothing. */
function offeredName(header: string | undefined): string | undefined {
  const name = header === undefined ? undefined : nameIn(header)?.split(/[/\\]/).at(-1)?.slice(0, LONGEST_NAME);
  return name === "" ? undefined : name;
}

function nameIn(header: string): string | undefined {
  try {
    const { filename } = parse(header).parameters;
    return filename === undefined || /\p{Cc}/u.test(filename) ? undefined : filename;
  } catch {
    return undefined;
  }
}

/** The client waits for our word before it sends the body (`server.ts` lets the route answer). */
function continueIfAsked(request: FastifyRequest, reply: FastifyReply): void {
  if (request.headers.expect?.toLowerCase() === "100-continue") reply.raw.writeContinue();
}

function declaredLength(request: FastifyRequest): number | undefined {
  const value = request.headers["content-length"];
  return value === undefined ? undefined : Number(value);
}

async function findBlob(
  request: FastifyRequest,
  params: { readonly name: string; readonly hash: string },
  options: WarcRoutesOptions,
): Promise<BlobInfo> {
  const { name } = options.access.readable(options.callerOf(request), params.name);
  const blob = await options.blobs.blob(name, params.hash, requestSignal(request));
  if (blob !== undefined) return blob;
  const withdrawnAt = await options.withdrawals.withdrawnAt(name, params.hash, requestSignal(request));
  if (withdrawnAt === undefined) throw unknownBlob(name);
  throw new HttpProblem("blob-withdrawn", `it was withdrawn from collection "${name}" at ${withdrawnAt}`);
}

function unknownBlob(collection: string): HttpProblem {
  return new HttpProblem("blob-unknown", `collection "${collection}" holds no file with this hash`);
}

function blobReply(blob: BlobInfo) {
  const { filename, reason, damaged, digests, ...rest } = blob;
  return {
    ...rest,
    damaged: [...damaged],
    ...(digests && { digests }),
    ...(filename === undefined ? {} : { filename }),
    ...(reason === undefined ? {} : { reason }),
  };
}
