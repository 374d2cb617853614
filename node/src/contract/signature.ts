/** Ed25519 signatures over a domain and the RFC 8785 form of a JSON value: how everything in ASFP is signed. */
import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";
import type { Domain } from "./domains.ts";

function signedBytes(domain: Domain, value: unknown): Buffer {
  return Buffer.from(domain + canonicalJson(value), "utf8");
}

/** @returns the signature, base64url */
export function signValue(domain: Domain, value: unknown, key: KeyObject): string {
  return sign(null, signedBytes(domain, value), key).toString("base64url");
}

/** @param sig - base64url */
export function isSignedBy(domain: Domain, value: unknown, sig: string, key: KeyObject): boolean {
  return verify(null, signedBytes(domain, value), key, Buffer.from(sig, "base64url"));
}

/** The Ed25519 public key in SPKI DER bytes; `undefined` when they hold no such key. */
export function ed25519Key(spki: Uint8Array): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}
