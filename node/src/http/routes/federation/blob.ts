/** `GET|HEAD /api/v1/federation/blob/{hash}`: a stored file by its hash, from any collection whose files the caller may have whole. */
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import type { BlobInfo } from "../../../archive/archive.ts";
import type { Caller } from "../../../archive/caller.ts";
import { SYNC_LIMITS } from "../../../asfp/sync-messages.ts";
import { DOWNLOAD_TYPES } from "../../download-headers.ts";
import { HttpProblem } from "../../problem.ts";
import { requestSignal } from "../../request-signal.ts";
import { Hash, ProblemReplies, textReply } from "../../schemas.ts";
import { sendBlob } from "../../send-blob.ts";
import { PeerSlots } from "./peer-slots.ts";
import { FEDERATION_PATH, type SentFiles, type SyncRoutesOptions } from "./sync-options.ts";

const Params = Type.Object({ hash: Hash });

export const blobRoute: FastifyPluginAsyncTypebox<SyncRoutesOptions> = async (app, options) => {
  const slots = new PeerSlots(SYNC_LIMITS.blobsPerPeer);
  app.get(
    `${FEDERATION_PATH}/blob/:hash`,
    {
      schema: {
        summary: "A file by its hash, byte for byte as received",
        params: Params,
        response: {
          200: textReply("All of it", ...DOWNLOAD_TYPES),
          206: textReply("The range asked for", ...DOWNLOAD_TYPES),
          304: { description: "Unchanged", type: "null" },
          ...ProblemReplies,
        },
      },
    },
    async (request, reply) => {
      const caller = options.callerOf(request);
      const { collection, blob } = await readableBlob(request, request.params.hash, caller, options);
      takeSlot(request, reply, caller, slots);
      return sendBlob(request, reply, {
        ...{ blob, etag: `"${blob.hash}"`, cacheControl: "private, max-age=31536000, immutable, no-transform" },
        read: async (range) => {
          const bytes = await options.contents.read(collection, blob.hash, range, requestSignal(request));
          return bytes === undefined ? undefined : counted(bytes, options.sent);
        },
      });
    },
  );
};

/** One that the caller may not read is as unknown to it as one that is not held. */
async function readableBlob(
  request: FastifyRequest,
  hash: string,
  caller: Caller,
  { access, holdings }: SyncRoutesOptions,
): Promise<{ readonly collection: string; readonly blob: BlobInfo }> {
  const readable = new Set(access.allReadableWhole(caller).map(({ name }) => name));
  const holders = await holdings.holders(hash, requestSignal(request));
  const found = holders.find(({ collection }) => readable.has(collection));
  if (found === undefined) throw new HttpProblem("blob-unknown", "no collection that you may copy holds this file");
  return found;
}

function takeSlot(request: FastifyRequest, reply: FastifyReply, caller: Caller, slots: PeerSlots): void {
  if (caller.kind === "token" || request.method === "HEAD") return;
  const release = slots.tryTake(caller.kind === "peer" ? caller.nodeId : request.ip);
  if (release === undefined) {
    throw new HttpProblem("overloaded", `at most ${SYNC_LIMITS.blobsPerPeer} files at once: wait for one to end`);
  }
  reply.raw.once("close", release);
}

async function* counted(bytes: AsyncIterable<Uint8Array>, sent: SentFiles): AsyncGenerator<Uint8Array, void> {
  sent.blob();
  for await (const chunk of bytes) {
    sent.bytes(chunk.length);
    yield chunk;
  }
}
