/** Inspects a record whose block is in memory: nothing is hashed before it is asked for, and then in one call. */
import { ChunkedDecoder } from "./chunked.ts";
import { digestOf, toBase32 } from "./digest.ts";
import { digestOutcome, digestPlan } from "./digest-plan.ts";
import { holdsHttp, httpHeadOf, isChunked, MAX_BODY_BYTES } from "./http-block.ts";
import type { ArchiveRecord, DigestForm, HttpHead, InspectedRecord } from "./record.ts";

const NO_BYTES = new Uint8Array(0);

/** @param block - all of it */
export function inspectHeld(record: ArchiveRecord, block: Uint8Array): InspectedRecord {
  const http = holdsHttp(record) ? httpHeadOf(record, block) : undefined;
  const forms = new HeldForms(block, http);
  const plan = digestPlan(record);
  const digests = digestOutcome(plan, (form, algorithm) => forms.digest(form, algorithm));
  const own = plan.ownSha1 ? forms.digest("payload", "sha1") : undefined;
  return {
    http,
    digests,
    payloadDigest: own === undefined ? undefined : `sha1:${toBase32(own)}`,
    body: record.type === "request" ? firstBytes(forms.payload) : NO_BYTES,
  };
}

type Parts = readonly Uint8Array[];

/** The bytes that digests may be made of. Each is cut out and hashed once, when it is first wanted. */
class HeldForms {
  readonly #block: Parts;
  readonly #body: Parts;
  readonly #isChunked: boolean;
  #payload: Parts | undefined;
  readonly #digests = new Map<string, Buffer>();

  constructor(block: Uint8Array, http: HttpHead | undefined) {
    this.#block = [block];
    this.#body = http === undefined ? this.#block : [block.subarray(http.length)];
    this.#isChunked = http !== undefined && isChunked(http);
  }

  get payload(): Parts {
    this.#payload ??= this.#isChunked ? dechunked(this.#body) : this.#body;
    return this.#payload;
  }

  /** @returns `undefined` for a form that the record does not have */
  digest(form: DigestForm, algorithm: string): Buffer | undefined {
    if (form === "chunked-payload" && !this.#isChunked) return undefined;
    const parts = form === "payload" ? this.payload : form === "block" ? this.#block : this.#body;
    // NOTE: without an HTTP head the payload is the block; what was hashed for one is not hashed again for the other.
    const key = parts === this.#block ? algorithm : `${algorithm} ${form}`;
    const digest = this.#digests.get(key) ?? digestOf(algorithm, parts);
    this.#digests.set(key, digest);
    return digest;
  }
}

function dechunked(body: Parts): Parts {
  const parts: Uint8Array[] = [];
  const decoder = new ChunkedDecoder((part) => parts.push(part));
  for (const part of body) decoder.write(part);
  decoder.end();
  return parts;
}

function firstBytes(parts: Parts): Uint8Array {
  const [only] = parts;
  if (parts.length <= 1) return only?.subarray(0, MAX_BODY_BYTES) ?? NO_BYTES;
  return Buffer.concat(parts).subarray(0, MAX_BODY_BYTES);
}
