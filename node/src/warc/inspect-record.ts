/**
 * Reads one record's block once and says what indexes and checks need: HTTP head, digest outcome, digest of the payload,
 * the first bytes of a request's body.
 *
 * A payload digest counts as wrong only after block, payload and still chunked payload were tried: writers disagree.
 */
import { ChunkedDecoder } from "./chunked.ts";
import { MultiHash, type ParsedDigest, parseDigest, toBase32 } from "./digest.ts";
import { fieldOf, headerLength, MAX_HEADER_BYTES, parseHttpHead } from "./headers.ts";
import type { ArchiveRecord, DigestForm, DigestOutcome, HttpHead } from "./record.ts";

export interface InspectedRecord {
  readonly http: HttpHead | undefined;
  readonly digests: DigestOutcome;
  /** `sha1:` and base32 of the payload, transfer coding removed; only when the record declares none and holds one. */
  readonly payloadDigest: string | undefined;
  /** First bytes of a request's body, transfer coding removed; empty for other records. */
  readonly body: Uint8Array;
}

/** Bytes kept of a request's body: canonical bodies are cut at 4 KiB, but JSON must be parsed whole. */
const MAX_BODY_BYTES = 1 << 20;
const HTTP_TYPES: ReadonlySet<string> = new Set(["response", "request", "revisit"]);
const NO_BYTES = new Uint8Array(0);

/** @throws {WarcError} `BLOCK_DAMAGED` when the block cannot be read to its end */
export async function inspectRecord(record: ArchiveRecord): Promise<InspectedRecord> {
  const inspector = new RecordInspector(record);
  if (record.block.bytes !== undefined) inspector.write(record.block.bytes);
  else for await (const chunk of record.block.chunks()) inspector.write(chunk);
  return inspector.end();
}

/** True when a block of this record starts with an HTTP head. */
export function holdsHttp(record: ArchiveRecord): boolean {
  return HTTP_TYPES.has(record.type) && /^https?:/i.test(record.targetUri ?? "");
}

class RecordInspector {
  readonly #record: ArchiveRecord;
  readonly #blockDigest: ParsedDigest | undefined;
  readonly #payloadDigest: ParsedDigest | undefined;
  readonly #unsupported: number;
  readonly #block: MultiHash;
  readonly #chunked: MultiHash;
  readonly #payload: MultiHash;
  readonly #ownDigest: boolean;
  #head: { readonly http: HttpHead | undefined } | undefined;
  #pending: Uint8Array = NO_BYTES;
  #decoder: ChunkedDecoder | undefined;
  readonly #body: Uint8Array[] = [];
  #bodyBytes = 0;

  constructor(record: ArchiveRecord) {
    this.#record = record;
    const block = fieldOf(record.headers, "warc-block-digest");
    const payload = fieldOf(record.headers, "warc-payload-digest");
    this.#blockDigest = block === undefined ? undefined : parseDigest(block);
    // NOTE: a revisit's payload digest is that of the record it refers to.
    const own = record.type === "revisit" ? undefined : payload;
    this.#payloadDigest = own === undefined ? undefined : parseDigest(own);
    this.#unsupported =
      Number(block !== undefined && this.#blockDigest === undefined) +
      Number(own !== undefined && this.#payloadDigest === undefined);
    this.#ownDigest = payload === undefined && HAS_PAYLOAD.has(record.type);
    const payloadBy = this.#payloadDigest === undefined ? [] : [this.#payloadDigest.algorithm];
    // NOTE: the forms a payload digest is rarely made of are hashed on the way only when they cannot be hashed later.
    const otherForms = record.block.bytes === undefined ? payloadBy : [];
    const blockBy = this.#blockDigest === undefined ? [] : [this.#blockDigest.algorithm];
    this.#block = new MultiHash([...otherForms, ...blockBy]);
    this.#chunked = new MultiHash(otherForms);
    this.#payload = new MultiHash(this.#ownDigest ? [...payloadBy, "sha1"] : payloadBy);
    if (!holdsHttp(record)) this.#head = { http: undefined };
  }

  write(bytes: Uint8Array): void {
    this.#block.update(bytes);
    if (this.#head !== undefined) {
      this.#writePayload(bytes);
      return;
    }
    const looked = this.#pending.length;
    this.#pending = looked === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    if (headerLength(this.#pending, looked) !== undefined || this.#pending.length >= MAX_HEADER_BYTES) this.#endHead();
  }

  end(): InspectedRecord {
    if (this.#head === undefined) this.#endHead();
    this.#decoder?.end();
    const sha1 = this.#ownDigest ? this.#payload.digest("sha1") : undefined;
    return {
      http: this.#head?.http,
      digests: this.#outcome(),
      payloadDigest: sha1 === undefined ? undefined : `sha1:${toBase32(sha1)}`,
      body: this.#body.length === 1 ? (this.#body[0] ?? NO_BYTES) : Buffer.concat(this.#body),
    };
  }

  #endHead(): void {
    const pending = this.#pending;
    this.#pending = NO_BYTES;
    const http = parseHttpHead(pending);
    this.#head = { http };
    if (http !== undefined && isChunked(http)) this.#decoder = new ChunkedDecoder((part) => this.#writeDecoded(part));
    this.#writePayload(pending.subarray(http?.length ?? 0));
  }

  #writePayload(bytes: Uint8Array): void {
    if (this.#decoder === undefined) {
      this.#writeDecoded(bytes);
      return;
    }
    this.#chunked.update(bytes);
    this.#decoder.write(bytes);
  }

  #writeDecoded(bytes: Uint8Array): void {
    this.#payload.update(bytes);
    if (this.#record.type !== "request" || this.#bodyBytes >= MAX_BODY_BYTES) return;
    const part = bytes.subarray(0, MAX_BODY_BYTES - this.#bodyBytes);
    this.#body.push(part);
    this.#bodyBytes += part.length;
  }

  #outcome(): DigestOutcome {
    const block = this.#blockDigest === undefined ? undefined : this.#block.matches(this.#blockDigest);
    const matched = this.#payloadDigest === undefined ? undefined : this.#formOf(this.#payloadDigest);
    const payload = this.#payloadDigest === undefined ? undefined : matched !== undefined;
    return {
      verified: Number(block === true) + Number(payload === true),
      mismatched: Number(block === false) + Number(payload === false),
      unsupported: this.#unsupported,
      matched,
    };
  }

  #formOf(digest: ParsedDigest): DigestForm | undefined {
    if (this.#payload.matches(digest)) return "payload";
    const { bytes } = this.#record.block;
    const chunked = bytes === undefined ? this.#chunked : hashOf(digest, bytes.subarray(this.#head?.http?.length ?? 0));
    if (this.#decoder !== undefined && chunked.matches(digest)) return "chunked-payload";
    const block = bytes === undefined ? this.#block : hashOf(digest, bytes);
    return block.matches(digest) ? "block" : undefined;
  }
}

function hashOf({ algorithm }: ParsedDigest, bytes: Uint8Array): MultiHash {
  const hash = new MultiHash([algorithm]);
  hash.update(bytes);
  return hash;
}

const HAS_PAYLOAD: ReadonlySet<string> = new Set(["response", "resource", "metadata"]);

/** The last transfer coding is `chunked` (RFC 9112, 6.1). */
export function isChunked(http: HttpHead): boolean {
  return /(?:^|,)\s*chunked\s*$/i.test(fieldOf(http.headers, "transfer-encoding") ?? "");
}
