/** Digest of a JSON value that does not depend on the order of its keys. */
import { createHash, hash } from "node:crypto";
import canonicalize from "canonicalize";

/** RFC 8785 canonical form, SHA-256, 32 hex digits: enough to tell documents of one object apart. */
export function documentDigest(value: unknown): string {
  return createHash("sha256")
    .update(canonicalize(value) ?? "")
    .digest("hex")
    .slice(0, 32);
}

interface Remembered {
  /** Of the value as it was written down in the order in which it was built. */
  readonly text: string;
  readonly digest: string;
}

/**
 * Digests of documents that are rendered over and over: the same program builds the same document in the same order, so
 * its plain text tells that the digest is the one of last time, at a tenth of the cost of the canonical form.
 */
export class DigestMemory {
  readonly #limit: number;
  readonly #remembered = new Map<string, Remembered>();

  /** @param limit - documents remembered, about 200 bytes each; the oldest make room */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** {@link documentDigest} of `value`. @param id - whose document it is; the last one of each is remembered */
  digestOf(id: string, value: unknown): string {
    const text = hash("sha256", JSON.stringify(value), "base64");
    const known = this.#remembered.get(id);
    if (known?.text === text) return known.digest;
    if (known === undefined && this.#remembered.size >= this.#limit)
      this.#remembered.delete(this.#remembered.keys().next().value ?? "");
    const digest = documentDigest(value);
    this.#remembered.set(id, { text, digest });
    return digest;
  }
}
