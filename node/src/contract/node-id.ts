/** Node ids: who a node is, whatever its address. */
import { createHash, type KeyObject } from "node:crypto";

/** DER SubjectPublicKeyInfo of a public or private key. */
export function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: "spki", format: "der" });
}

/** Lower-case hex SHA-256 of the Ed25519 identity key's SPKI DER. */
export function nodeIdOf(identityPublicKey: KeyObject): string {
  return createHash("sha256").update(spkiOf(identityPublicKey)).digest("hex");
}
