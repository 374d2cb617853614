import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { parseDigest, toBase32 } from "./digest.ts";

const SHA1 = createHash("sha1").update("x").digest();
const SHA256 = createHash("sha256").update("x").digest();

test.each([
  [`sha1:${toBase32(SHA1)}`, "sha1", SHA1],
  [`SHA-1:${SHA1.toString("hex").toUpperCase()}`, "sha1", SHA1],
  [toBase32(SHA1), "sha1", SHA1],
  [`sha256:${SHA256.toString("hex")}`, "sha256", SHA256],
  [`sha256:${SHA256.toString("base64")}`, "sha256", SHA256],
])("%s is understood", (field, algorithm, bytes) => {
  expect(parseDigest(field)).toEqual({ algorithm, bytes });
});

test.each(["", "sha1:", "sha1:zz", "blake3:abcd", "sha256:abcd"])("%j is unsupported", (field) => {
  expect(parseDigest(field)).toBeUndefined();
});
