/** Delegations: the identity key's signed word that a service key speaks for the node until a given time. */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import Type, { type Static } from "typebox";
import Value from "typebox/value";
import { NodeIdSchema } from "./documents.ts";
import { DOMAINS } from "./domains.ts";
import { nodeIdOf, spkiOf } from "./node-id.ts";
import { ed25519Key, isSignedBy, signValue } from "./signature.ts";

/** Longest life of a delegation by the protocol, milliseconds. */
export const DELEGATION_LIFETIME_MS = 90 * 24 * 3_600_000;

export const DelegationSchema = Type.Object({
  delegation: Type.Object({
    node_id: NodeIdSchema,
    /** base64url SPKI DER of the Ed25519 service key. */
    spki: Type.String({ maxLength: 128 }),
    /** Epoch milliseconds. */
    not_before: Type.Integer({ minimum: 0 }),
    not_after: Type.Integer({ minimum: 0 }),
    /** base64url SPKI DER of the Ed25519 identity key whose SHA-256 is `node_id`. */
    identity_key: Type.String({ maxLength: 128 }),
  }),
  /** base64url Ed25519 signature of the identity key, domain `DOMAINS.delegation`. */
  sig: Type.String({ maxLength: 128 }),
});
export type Delegation = Static<typeof DelegationSchema>;

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
  return { delegation, sig: signValue(DOMAINS.delegation, delegation, identityKey) };
}

export type CheckedDelegation =
  | { readonly delegation: Delegation["delegation"]; readonly serviceKey: KeyObject }
  | { readonly refused: string };

/**
 * Checks everything about a delegation but its time: shape, that the node id belongs to the identity key, that both
 * keys are Ed25519, and the signature.
 */
export function checkDelegation(value: unknown): CheckedDelegation {
  if (!Value.Check(DelegationSchema, value)) return { refused: "it does not have the shape of a delegation" };
  const { delegation, sig } = value;
  const spki = Buffer.from(delegation.identity_key, "base64url");
  if (createHash("sha256").update(spki).digest("hex") !== delegation.node_id) {
    return { refused: "its node_id is not the hash of its identity_key" };
  }
  const identityKey = ed25519Key(spki);
  if (identityKey === undefined) return { refused: "its identity_key is not Ed25519" };
  if (!isSignedBy(DOMAINS.delegation, delegation, sig, identityKey))
    return { refused: "its signature does not verify" };
  const serviceKey = ed25519Key(Buffer.from(delegation.spki, "base64url"));
  if (serviceKey === undefined) return { refused: "its service key is not Ed25519" };
  return { delegation, serviceKey };
}
