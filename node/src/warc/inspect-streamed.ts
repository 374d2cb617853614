/** Inspects a record whose block is too large to hold: everything that may be asked for is hashed as the bytes pass. */
import { ChunkedDecoder } from "./chunked.ts";
import { MultiHash, toBase32 } from "./digest.ts";
import { type DigestPlan, digestOutcome, digestPlan } from "./digest-plan.ts";
import { httpHeadLength, MAX_HEADER_BYTES } from "./headers.ts";
import { holdsHttp, httpHeadOf, isChunked, MAX_BODY_BYTES } from "./http-block.ts";
import type { ArchiveRecord, DigestForm, HttpHead, InspectedRecord } from "./record.ts";

const NO_BYTES = new Uint8Array(0);

/** @throws {WarcError} `BLOCK_DAMAGED` when the block cannot be read to its end */
export async function inspectStreamed(record: ArchiveRecord): Promise<InspectedRecord> {
  const inspector = new StreamInspector(record);
  for await (const chunk of record.block.chunks()) inspector.write(chunk);
  return inspector.end();
}

class StreamInspector {
  readonly #record: ArchiveRecord;
  readonly #plan: DigestPlan;
  readonly #hashes: { readonly [F in DigestForm]: MultiHash };
  readonly #keepsBody: boolean;
  #head: { readonly http: HttpHead | undefined } | undefined;
  #pending: Uint8Array = NO_BYTES;
  #decoder: ChunkedDecoder | undefined;
  readonly #body: Uint8Array[] = [];
  #bodyBytes = 0;

  constructor(record: ArchiveRecord) {
    this.#record = record;
    this.#plan = digestPlan(record);
    const { block, payload, ownSha1 } = this.#plan;
    const payloadBy = payload === undefined ? [] : [payload.algorithm];
    this.#hashes = {
      block: new MultiHash(block === undefined ? payloadBy : [...payloadBy, block.algorithm]),
      "chunked-payload": new MultiHash(payloadBy),
      payload: new MultiHash(ownSha1 ? [...payloadBy, "sha1"] : payloadBy),
    };
    this.#keepsBody = record.type === "request";
    if (!holdsHttp(record)) this.#head = { http: undefined };
  }

  write(bytes: Uint8Array): void {
    this.#hashes.block.update(bytes);
    if (this.#head !== undefined) {
      this.#writePayload(bytes);
      return;
    }
    const looked = this.#pending.length;
    this.#pending = looked === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    if (httpHeadLength(this.#pending, looked) !== undefined || this.#pending.length > MAX_HEADER_BYTES) this.#endHead();
  }

  end(): InspectedRecord {
    if (this.#head === undefined) this.#endHead();
    this.#decoder?.end();
    const isChunkedBody = this.#decoder !== undefined;
    const digests = digestOutcome(this.#plan, (form, algorithm) =>
      form === "chunked-payload" && !isChunkedBody ? undefined : this.#hashes[form].digest(algorithm),
    );
    const sha1 = this.#plan.ownSha1 ? this.#hashes.payload.digest("sha1") : undefined;
    return {
      http: this.#head?.http,
      digests,
      payloadDigest: sha1 === undefined ? undefined : `sha1:${toBase32(sha1)}`,
      body: this.#body.length === 1 ? (this.#body[0] ?? NO_BYTES) : Buffer.concat(this.#body),
    };
  }

  #endHead(): void {
    const pending = this.#pending;
    this.#pending = NO_BYTES;
    const http = httpHeadOf(this.#record, pending);
    this.#head = { http };
    if (http !== undefined && isChunked(http)) this.#decoder = new ChunkedDecoder((part) => this.#writeDecoded(part));
    this.#writePayload(pending.subarray(http?.length ?? 0));
  }

  #writePayload(bytes: Uint8Array): void {
    if (this.#decoder === undefined) {
      this.#writeDecoded(bytes);
      return;
    }
    this.#hashes["chunked-payload"].update(bytes);
    this.#decoder.write(bytes);
  }

  #writeDecoded(bytes: Uint8Array): void {
    this.#hashes.payload.update(bytes);
    if (!this.#keepsBody || this.#bodyBytes >= MAX_BODY_BYTES) return;
    const part = bytes.subarray(0, MAX_BODY_BYTES - this.#bodyBytes);
    this.#body.push(part);
    this.#bodyBytes += part.length;
  }
}
