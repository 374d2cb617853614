/**
 * Peer records: what a node says of itself, signed by its service key and passed on verbatim by others. Members that a
 * schema does not name are kept, because the signature covers them too.
 */
import { createHash, type KeyObject } from "node:crypto";
import Type, { type Static } from "typebox";
import Value from "typebox/value";
import { canonicalJson } from "../contract/canonical-json.ts";
import { checkDelegation, DelegationSchema } from "../contract/delegation.ts";
import { NodeIdSchema } from "../contract/documents.ts";
import { DOMAINS } from "../contract/domains.ts";
import { isSignedBy, signValue } from "../contract/signature.ts";
import { ASFP_LIMITS } from "./limits.ts";

const Time = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Word = Type.String({ maxLength: 16 });

export const PeerRecordSchema = Type.Object({
  node_id: NodeIdSchema,
  /** Grows with every record of the node; others compare it and never read it as a time. */
  seq: Time,
  /** Raised by the node itself to refute that it is suspected. */
  incarnation: Type.Optional(Time),
  endpoint: Type.String({ maxLength: ASFP_LIMITS.urlChars, pattern: "^https://" }),
  capabilities: Type.Array(Word, { maxItems: 8 }),
  versions: Type.Array(Word, { minItems: 1, maxItems: 8 }),
  features: Type.Array(Word, { maxItems: 32 }),
  /** Version of the program. */
  program: Type.Optional(Type.String({ maxLength: 64 })),
  /** Names the service key that signs this record. */
  delegation: DelegationSchema,
  /** SHA-256 digests of the public keys of the certificates it serves. */
  tls_spki: Type.Array(Type.String({ pattern: "^sha256:[0-9a-f]{64}$" }), { minItems: 1, maxItems: 8 }),
  /** Epoch milliseconds, both. */
  issued_at: Time,
  expires_at: Time,
  /** It is shutting down. */
  leaving: Type.Optional(Type.Boolean()),
});
export type PeerRecord = Static<typeof PeerRecordSchema>;

export const SignedPeerRecordSchema = Type.Object({
  record: PeerRecordSchema,
  /** base64url Ed25519 signature of the service key, domain `DOMAINS.peerRecord`. */
  sig: Type.String({ maxLength: 128 }),
});
export type SignedPeerRecord = Static<typeof SignedPeerRecordSchema>;

export function signPeerRecord(record: PeerRecord, serviceKey: KeyObject): SignedPeerRecord {
  return { record, sig: signValue(DOMAINS.peerRecord, record, serviceKey) };
}

/** `sha256:<hex>` of the record with its signature, as handshakes name it. */
export function recordHash(signed: SignedPeerRecord): string {
  const bytes = canonicalJson({ record: signed.record, sig: signed.sig });
  return `sha256:${createHash("sha256").update(bytes, "utf8").digest("hex")}`;
}

export type CheckedRecord =
  | { readonly signed: SignedPeerRecord; readonly record: PeerRecord; readonly serviceKey: KeyObject }
  | { readonly refused: string };

/**
 * Checks everything about a record: size, shape, delegation, signature and times, with two days of slack.
 *
 * @param nowMs - epoch milliseconds
 */
export function checkPeerRecord(value: unknown, nowMs: number): CheckedRecord {
  if (!Value.Check(SignedPeerRecordSchema, value)) return { refused: "it does not have the shape of a peer record" };
  const signed = value;
  const size = canonicalSize({ record: signed.record, sig: signed.sig });
  if (size === undefined) return { refused: "it has no canonical form" };
  if (size > ASFP_LIMITS.recordBytes) {
    return { refused: `it has ${size} bytes, at most ${ASFP_LIMITS.recordBytes} are taken` };
  }
  const { record, sig } = signed;
  const late = outOfTime(record, nowMs);
  if (late !== undefined) return { refused: late };
  const checked = checkDelegation(record.delegation);
  if ("refused" in checked) return { refused: `its delegation: ${checked.refused}` };
  if (checked.delegation.node_id !== record.node_id) return { refused: "its delegation is of another node" };
  if (!isSignedBy(DOMAINS.peerRecord, record, sig, checked.serviceKey)) {
    return { refused: "its signature does not verify" };
  }
  return { signed, record, serviceKey: checked.serviceKey };
}

function canonicalSize(value: unknown): number | undefined {
  try {
    return Buffer.byteLength(canonicalJson(value), "utf8");
  } catch {
    return undefined;
  }
}

function outOfTime(record: PeerRecord, nowMs: number): string | undefined {
  const slack = ASFP_LIMITS.clockSlackMs;
  const { not_before, not_after } = record.delegation.delegation;
  if (record.expires_at <= record.issued_at) return "it ends before it begins";
  if (record.expires_at - record.issued_at > ASFP_LIMITS.recordLifetimeMs) return "it lives longer than 30 days";
  if (record.issued_at > nowMs + slack) return "it was issued more than two days from now";
  if (record.expires_at < nowMs - slack) return "it ended more than two days ago";
  if (not_before > nowMs + slack) return "its delegation begins more than two days from now";
  if (not_after < nowMs - slack) return "its delegation ended more than two days ago";
  return undefined;
}
