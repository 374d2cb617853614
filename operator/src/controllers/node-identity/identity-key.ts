/** The identity of a node: an Ed25519 key that is made once and never replaced, and the offline key that can move it. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { nodeIdOf } from "@archivestream/node/contract";
import { IdentityError } from "./errors.ts";

/** Keys of Secrets `<n>-identity` (identity, public recovery key) and `<n>-recovery` (both halves of the recovery key). */
export const IDENTITY_FILES = {
  identityKey: "identity.key",
  recoveryPublic: "recovery.pub",
  recoveryKey: "recovery.key",
} as const;

/** Secret data by key, base64 as the API stores it. */
export type SecretData = Readonly<Record<string, string>>;

export interface Identity {
  readonly key: KeyObject;
  /** Lower-case hexadecimal SHA-256 of the public key's SPKI DER: what peers know the node by. */
  readonly nodeID: string;
}

/** A fresh identity. @param recovery - PEM of the public recovery key that can move it */
export function generateIdentity(recovery: string): SecretData {
  return {
    [IDENTITY_FILES.identityKey]: encode(privatePem(generateKeyPairSync("ed25519").privateKey)),
    [IDENTITY_FILES.recoveryPublic]: encode(recovery),
  };
}

/** A fresh recovery key. The operator makes it, hands it out, and never uses the private half. */
export function generateRecovery(): SecretData {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    [IDENTITY_FILES.recoveryKey]: encode(privatePem(privateKey)),
    [IDENTITY_FILES.recoveryPublic]: encode(publicPem(publicKey)),
  };
}

/**
 * PEM of the public recovery key in Secret `<n>-recovery`; the public half alone is enough.
 *
 * @throws {IdentityError} BAD_KEY: there is none, or it is not an Ed25519 key
 */
export function recoveryPublic(secret: string, data: SecretData): string {
  const field = IDENTITY_FILES.recoveryPublic;
  try {
    const key = createPublicKey(decode(data, field));
    if (key.asymmetricKeyType === "ed25519") return publicPem(key);
  } catch (cause) {
    throw new IdentityError("BAD_KEY", { secret, field, reason: "is not a PEM public key" }, { cause });
  }
  throw new IdentityError("BAD_KEY", { secret, field, reason: "is not an Ed25519 key" });
}

/** @throws {IdentityError} BAD_KEY: the Secret holds no Ed25519 key in PKCS#8 PEM */
export function readIdentity(secret: string, data: SecretData): Identity {
  const key = readPrivateKey(secret, data, IDENTITY_FILES.identityKey);
  if (key.asymmetricKeyType !== "ed25519")
    throw new IdentityError("BAD_KEY", { secret, field: IDENTITY_FILES.identityKey, reason: "is not an Ed25519 key" });
  return { key, nodeID: nodeIdOf(createPublicKey(key)) };
}

/** @throws {IdentityError} BAD_KEY: absent, or not a PEM private key */
export function readPrivateKey(secret: string, data: SecretData, field: string): KeyObject {
  try {
    return createPrivateKey(decode(data, field));
  } catch (cause) {
    throw new IdentityError("BAD_KEY", { secret, field, reason: "is not a PEM private key" }, { cause });
  }
}

export function privatePem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function publicPem(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}

export function encode(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Text under a key of a Secret; empty when absent. */
export function decode(data: SecretData, field: string): string {
  return Buffer.from(data[field] ?? "", "base64").toString("utf8");
}
