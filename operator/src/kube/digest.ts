/** Digest of a JSON value that does not depend on the order of its keys. */
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** RFC 8785 canonical form, SHA-256, 32 hex digits: enough to tell documents of one object apart. */
export function documentDigest(value: unknown): string {
  return createHash("sha256")
    .update(canonicalize(value) ?? "")
    .digest("hex")
    .slice(0, 32);
}
