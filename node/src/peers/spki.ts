/** Digests of certificate keys, as records and pins name them. */
import { createHash, type X509Certificate } from "node:crypto";
import { spkiOf } from "../contract/node-id.ts";

/** `sha256:<hex>` of a certificate's public key. */
export function spkiDigest(certificate: X509Certificate): string {
  return `sha256:${createHash("sha256").update(spkiOf(certificate.publicKey)).digest("hex")}`;
}
