/** Which records hold an HTTP message, and what its head says about the body. Pure. */
import { fieldOf, parseHttpHead } from "./headers.ts";
import type { ArchiveRecord, HttpHead } from "./record.ts";

/** Bytes kept of a request's body: canonical bodies are cut at 4 KiB, but JSON must be parsed whole. */
export const MAX_BODY_BYTES = 1 << 20;

const HTTP_TYPES: ReadonlySet<string> = new Set(["response", "request", "revisit"]);

/** True when a block of this record starts with an HTTP head. */
export function holdsHttp(record: ArchiveRecord): boolean {
  return HTTP_TYPES.has(record.type) && /^https?:/i.test(record.targetUri ?? "");
}

/** The head at the start of its block. A response that does not begin with `HTTP/` is all body, whatever its first word. */
export function httpHeadOf({ type }: ArchiveRecord, block: Uint8Array): HttpHead | undefined {
  const http = parseHttpHead(block);
  return type !== "request" && http?.method !== undefined ? undefined : http;
}

/** The last transfer coding is `chunked` (RFC 9112, 6.1). */
export function isChunked(http: HttpHead): boolean {
  const coding = fieldOf(http.headers, "transfer-encoding");
  return coding !== undefined && /(?:^|,)\s*chunked\s*$/i.test(coding);
}
