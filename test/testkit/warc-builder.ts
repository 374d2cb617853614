/** Builds archive files for tests, record by record: bytes as a well-behaved writer would write them, or not. */
import { createHash } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { toBase32 } from "../../node/src/warc/digest.ts";

export interface WarcRecordSpec {
  readonly type?: string;
  readonly uri?: string;
  readonly date?: string;
  readonly version?: string;
  readonly contentType?: string;
  /** Extra fields, after the usual ones. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly block: string | Uint8Array;
  /** Adds a right `WARC-Block-Digest`. On unless false. */
  readonly digest?: boolean;
}

export interface HttpSpec {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** One record with its end mark, uncompressed. */
export function warcRecord(spec: WarcRecordSpec): Buffer {
  const block = Buffer.from(spec.block);
  const type = spec.type ?? "response";
  const digest = `sha1:${toBase32(createHash("sha1").update(block).digest())}`;
  const fields: Record<string, string> = {
    "WARC-Type": type,
    ...(spec.uri === undefined ? {} : { "WARC-Target-URI": spec.uri }),
    "WARC-Date": spec.date ?? "2026-01-02T03:04:05Z",
    "WARC-Record-ID": `<urn:sha1:${digest.slice(5)}:${type}>`,
    "Content-Type": spec.contentType ?? contentTypeOf(type),
    ...(spec.digest === false ? {} : { "WARC-Block-Digest": digest }),
    ...spec.fields,
    "Content-Length": spec.fields?.["Content-Length"] ?? String(block.length),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `WARC/${spec.version ?? "1.0"}\r\n${lines.join("")}\r\n`;
  return Buffer.concat([Buffer.from(head), block, Buffer.from("\r\n\r\n")]);
}

function contentTypeOf(type: string): string {
  if (type === "warcinfo") return "application/warc-fields";
  return type === "request" || type === "response" ? `application/http; msgtype=${type}` : "text/plain";
}

/** An HTTP response as a block. */
export function httpResponse(spec: HttpSpec = {}): Buffer {
  const body = Buffer.from(spec.body ?? "<html><title>hello</title></html>");
  const headers = { "Content-Type": "text/html", ...spec.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${spec.status ?? 200} OK\r\n${lines.join("")}\r\n`), body]);
}

/** A response record of a page. */
export function pageRecord(uri: string, body: string | Uint8Array = `<html><title>${uri}</title></html>`): Buffer {
  return warcRecord({ uri, block: httpResponse({ body }) });
}

export function warcinfo(): Buffer {
  return warcRecord({ type: "warcinfo", block: "software: test\r\nformat: WARC File Format 1.0\r\n" });
}

/** An ARC 1 file's first record. */
export function arcHeader(name = "test.arc"): Buffer {
  const block = "1 0 test\nURL IP-address Archive-date Content-type Archive-length\n";
  return Buffer.from(`filedesc://${name} 0.0.0.0 20260102030405 text/plain ${block.length}\n${block}\n`);
}

export function arcRecord(uri: string, block: string | Uint8Array): Buffer {
  const bytes = Buffer.from(block);
  return Buffer.concat([
    Buffer.from(`${uri} 127.0.0.1 20260102030405 text/html ${bytes.length}\n`),
    bytes,
    Buffer.from("\n"),
  ]);
}

/** The usual form: one gzip member per record. */
export function gzipEach(records: readonly Uint8Array[]): Buffer {
  return Buffer.concat(records.map((record) => gzipSync(record)));
}

export function zstdEach(records: readonly Uint8Array[]): Buffer {
  return Buffer.concat(records.map((record) => zstdCompressSync(record)));
}
