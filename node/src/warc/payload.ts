/**
 * The payload of a record as a stream: HTTP head parsed off, transfer coding removed, content codings removed on request.
 */
import { Readable, type Transform } from "node:stream";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from "node:zlib";
import { dechunk } from "./chunked.ts";
import { WarcError } from "./errors.ts";
import { fieldOf, httpHeadLength, MAX_HEADER_BYTES } from "./headers.ts";
import { holdsHttp, httpHeadOf, isChunked } from "./http-block.ts";
import type { ArchiveRecord, HttpHead } from "./record.ts";

/** Codings one on another that are believed; a browser sees one. */
const MAX_CODINGS = 3;
/** Codings that exist, in IANA's registry or before it, and that are not removed here. */
const UNDECODABLE: ReadonlySet<string> = new Set(
  "compress x-compress dcb dcz sdch exi pack200-gzip aes128gcm bzip2 x-bzip2 lzma xz lz4 snappy".split(" "),
);
/** 2^23 = 8 MiB, the window RFC 9659 allows for the zstd content coding. */
const MAX_ZSTD_WINDOW_LOG = 23;

export interface OpenedPayload {
  /** `undefined` for records without one (resource, dns). */
  readonly http: HttpHead | undefined;
  /** Transfer coding removed, content codings kept: what the payload digest is made of. Can be read once. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Of the body, bytes; `undefined` while a transfer coding hides it. */
  readonly length: number | undefined;
}

/** Reads the block up to the end of its HTTP head. */
export async function openPayload(record: ArchiveRecord): Promise<OpenedPayload> {
  if (!holdsHttp(record)) return { http: undefined, body: record.block.chunks(), length: record.block.length };
  const chunks = record.block.chunks()[Symbol.asyncIterator]();
  let start: Uint8Array = new Uint8Array(0);
  for (let looked = 0; start.length < MAX_HEADER_BYTES && httpHeadLength(start, looked) === undefined; ) {
    const next = await chunks.next();
    if (next.done === true) break;
    looked = start.length;
    start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
  }
  const http = httpHeadOf(record, start);
  const rest = restOf(start.subarray(http?.length ?? 0), chunks);
  if (http !== undefined && isChunked(http)) return { http, body: dechunk(rest), length: undefined };
  return { http, body: rest, length: record.block.length - (http?.length ?? 0) };
}

async function* restOf(first: Uint8Array, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  if (first.length > 0) yield first;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
}

/**
 * Removes the content codings a head declares.
 *
 * @param maxBytes - of the decoded body; whatever comes beyond fails with `TOO_LARGE`
 * @throws {WarcError} while reading: `UNSUPPORTED_CODING`, `CODING_DAMAGED`, `TOO_LARGE`
 */
export async function* decodeContent(payload: OpenedPayload, maxBytes: number): AsyncGenerator<Uint8Array, void> {
  const declared = payload.http === undefined ? undefined : fieldOf(payload.http.headers, "content-encoding");
  const codings = (declared ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  const removed = codings.filter((name) => name !== "" && name !== "identity").reverse();
  if (removed.length > MAX_CODINGS) throw new WarcError("UNSUPPORTED_CODING", { coding: declared ?? "" });
  let body = payload.body;
  for (const coding of removed) body = removeCoding(body, coding);
  let total = 0;
  for await (const chunk of body) {
    total += chunk.length;
    if (total > maxBytes) throw new WarcError("TOO_LARGE", { what: "decoded body", limitBytes: maxBytes });
    yield chunk;
  }
}

async function* removeCoding(body: AsyncIterable<Uint8Array>, coding: string): AsyncGenerator<Uint8Array, void> {
  const chunks = body[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  const rest = restOf(first.value, chunks);
  const decoder = decoderOf(coding, first.value);
  // NOTE: servers and recorders label plain bodies as gzip; a body without the magic is taken as it is.
  if (decoder === "plain") {
    yield* rest;
    return;
  }
  const input = Readable.from(rest, { objectMode: true, highWaterMark: 1 });
  input.on("error", (error) => decoder.destroy(error));
  try {
    for await (const chunk of input.pipe(decoder) as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "Z_BUF_ERROR") return;
    if (!/^(?:Z_|ZSTD_|ERR__?ERROR_|ERR_BROTLI|ERR_ZSTD)/.test(code)) throw error;
    throw new WarcError("CODING_DAMAGED", { coding }, { cause: error });
  } finally {
    input.destroy();
    decoder.destroy();
  }
}

function decoderOf(coding: string, first: Uint8Array): Transform | "plain" {
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return first[0] === 0x1f ? createGunzip() : "plain";
    case "deflate":
      // NOTE: meant as zlib (RFC 9110, 8.4.1.2); some servers send raw deflate.
      return ((first[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw();
    case "br":
      return createBrotliDecompress();
    case "zstd":
      return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: MAX_ZSTD_WINDOW_LOG } });
    default:
      // NOTE: servers write `none`, charsets and media types here; what no registry knows codes nothing.
      if (!UNDECODABLE.has(coding)) return "plain";
      throw new WarcError("UNSUPPORTED_CODING", { coding });
  }
}
