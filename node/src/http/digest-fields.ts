/** Digests of uploads and downloads in HTTP fields: RFC 9530 `Repr-Digest` and `Content-Digest`, and `X-Checksum-Sha256`. */
import type { IncomingHttpHeaders } from "node:http";
import { HttpProblem } from "./problem.ts";

const SHA256_ITEM = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?=$|,)/;
const HEX = /^(?:sha256:)?([0-9a-f]{64})$/i;

/**
 * The SHA-256 the client promised, lower-case hex; `undefined` when it promised none. Other algorithms are passed over,
 * as RFC 9530 allows.
 *
 * @throws {HttpProblem} `bad-digest-field` for a sha-256 that cannot be read, or two that differ
 */
export function promisedSha256(headers: IncomingHttpHeaders): string | undefined {
  const found = [
    ...["repr-digest", "content-digest"].map((name) => structured(name, headers[name])),
    checksum(headers["x-checksum-sha256"]),
  ].filter((value) => value !== undefined);
  if (new Set(found).size > 1) throw new HttpProblem("bad-digest-field", "the digest fields differ from each other");
  return found[0];
}

/** `Repr-Digest` value for a hash in hex. */
export function reprDigest(hash: string): string {
  return `sha-256=:${Buffer.from(hash, "hex").toString("base64")}:`;
}

function structured(name: string, value: string | readonly string[] | undefined): string | undefined {
  const text = typeof value === "string" ? value : value?.join(",");
  if (text === undefined || !/sha-256\s*=/i.test(text)) return undefined;
  const base64 = SHA256_ITEM.exec(text)?.[1];
  if (base64 === undefined) throw new HttpProblem("bad-digest-field", `${name}: expected sha-256=:<base64>:`);
  return Buffer.from(base64, "base64").toString("hex");
}

function checksum(value: string | readonly string[] | undefined): string | undefined {
  if (value === undefined) return undefined;
  const hex = typeof value === "string" ? HEX.exec(value.trim())?.[1] : undefined;
  if (hex === undefined) throw new HttpProblem("bad-digest-field", "X-Checksum-Sha256: expected 64 hex digits");
  return hex.toLowerCase();
}
