import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { promisedSha256, reprDigest } from "./digest-fields.ts";

const HASH = createHash("sha256").update("hello").digest("hex");

test("what is written is read back, for every hash", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const hash = Buffer.from(bytes).toString("hex");
      expect(promisedSha256({ "repr-digest": reprDigest(hash) })).toBe(hash);
    }),
  );
});

test("finds sha-256 among other algorithms, and passes over those alone", () => {
  expect(promisedSha256({ "content-digest": `sha-512=:AAAA:, ${reprDigest(HASH)}` })).toBe(HASH);
  expect(promisedSha256({ "content-digest": "sha-512=:AAAA:" })).toBeUndefined();
  expect(promisedSha256({})).toBeUndefined();
});

test("X-Checksum-Sha256 takes hex in either case, with or without prefix", () => {
  expect(promisedSha256({ "x-checksum-sha256": HASH.toUpperCase() })).toBe(HASH);
  expect(promisedSha256({ "x-checksum-sha256": `sha256:${HASH}` })).toBe(HASH);
});

test.each([
  [{ "repr-digest": "sha-256=abc" }],
  [{ "x-checksum-sha256": "abc" }],
  [{ "repr-digest": reprDigest(HASH), "x-checksum-sha256": "0".repeat(64) }],
])("refuses %o", (headers) => {
  expect(() => promisedSha256(headers)).toThrow(expect.objectContaining({ code: "bad-digest-field" }) as Error);
});
