/** Answers with a stored file, byte for byte: whole or a range of it, or that the client has it already (RFC 9110). */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { BlobInfo } from "../archive/archive.ts";
import { type ByteRange, parseRange } from "./byte-range.ts";
import { reprDigest } from "./digest-fields.ts";
import { downloadHeaders } from "./download-headers.ts";
import { HttpProblem } from "./problem.ts";
import { sendHeadOnly, sendStream } from "./stream-reply.ts";

export interface SentBlob {
  readonly blob: BlobInfo;
  /** Strong, with its quotes. */
  readonly etag: string;
  readonly cacheControl: string;
  /** `undefined` when it is not held any more. */
  readonly read: (range: ByteRange | undefined) => Promise<AsyncIterable<Uint8Array> | undefined>;
}

export async function sendBlob(
  request: FastifyRequest,
  reply: FastifyReply,
  { blob, etag, cacheControl, read }: SentBlob,
): Promise<FastifyReply> {
  reply.headers({
    etag,
    "accept-ranges": "bytes",
    "repr-digest": reprDigest(blob.hash),
    // Immutable: the path names the bytes. Never a Content-Encoding: some clients would inflate the first member only.
    "cache-control": cacheControl,
    ...downloadHeaders(blob),
  });
  if (request.headers["if-none-match"]?.includes(etag) === true) return reply.code(304).send();
  const ifRange = request.headers["if-range"];
  const range = ifRange === undefined || ifRange === etag ? parseRange(request.headers.range, blob.size) : undefined;
  if (range === "unsatisfiable") {
    reply.header("content-range", `bytes */${blob.size}`);
    throw new HttpProblem("range-invalid", `the file has ${blob.size} bytes`);
  }
  if (range !== undefined) reply.code(206).header("content-range", `bytes ${range.start}-${range.end}/${blob.size}`);
  reply.header("content-length", String(range === undefined ? blob.size : range.end - range.start + 1));
  if (request.method === "HEAD") return sendHeadOnly(reply);
  const bytes = await read(range);
  if (bytes === undefined) throw new HttpProblem("blob-unknown", "the file was withdrawn just now");
  return sendStream(reply, bytes);
}
