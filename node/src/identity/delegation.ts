/** Delegations: the identity key's signed word that a service key speaks for the node until a given time. */
import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import Value from "typebox/value";
import { DELEGATION_DOMAIN, type Delegation, DelegationSchema } from "../contract/documents.ts";
import { canonicalJson } from "./canonical-json.ts";
import { IdentityError } from "./errors.ts";
import { nodeIdOf, spkiOf } from "./node-id.ts";

function signedBytes(body: Delegation["delegation"]): Buffer {
  return Buffer.from(DELEGATION_DOMAIN + canonicalJson(body), "utf8");
}

export interface DelegationPeriod {
  /** Epoch milliseconds, both. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Signs that `servicePublicKey` speaks for the identity during `period`. */
export function signDelegation(
  identityKey: KeyObject,
  servicePublicKey: KeyObject,
  period: DelegationPeriod,
): Delegation {
  const identityPublicKey = createPublicKey(identityKey);
  const delegation = {
    node_id: nodeIdOf(identityPublicKey),
    spki: spkiOf(servicePublicKey).toString("base64url"),
    not_before: period.notBefore,
    not_after: period.notAfter,
    identity_key: spkiOf(identityPublicKey).toString("base64url"),
  };
  return { delegation, sig: sign(null, signedBytes(delegation), identityKey).toString("base64url") };
}

/**
 * Checks everything about a delegation but its time: shape, that the node id belongs to the identity key, the
 * signature, and that it is for the given service key.
 *
 * @throws {IdentityError} `BAD_DELEGATION`
 */
export function verifyDelegation(value: unknown, servicePublicKey: KeyObject): Delegation["delegation"] {
  const bad = (reason: string) => new IdentityError("BAD_DELEGATION", { reason });
  if (!Value.Check(DelegationSchema, value)) throw bad("it does not have the shape of a delegation");
  const { delegation, sig } = value;
  const spki = Buffer.from(delegation.identity_key, "base64url");
  if (createHash("sha256").update(spki).digest("hex") !== delegation.node_id) {
    throw bad("its node_id is not the hash of its identity_key");
  }
  const identityKey = ed25519Key(spki);
  if (identityKey === undefined) throw bad("its identity_key is not Ed25519");
  if (!verify(null, signedBytes(delegation), identityKey, Buffer.from(sig, "base64url"))) {
    throw bad("its signature does not verify");
  }
  if (delegation.spki !== spkiOf(servicePublicKey).toString("base64url")) throw bad("it is for another service key");
  return delegation;
}

/** @returns `undefined` for bytes that are no such key */
function ed25519Key(spki: Buffer): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: spki, format: "der", type: "spki" });
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}
