/**
 * The handshake's messages and what each side signs. The document's own form, `{node_id, version, endpoint}` answered by
 * `{status, challenge}`, is the part of it that needs no key.
 */
import { createHash, type KeyObject } from "node:crypto";
import Type, { type Static } from "typebox";
import { canonicalJson } from "../contract/canonical-json.ts";
import { NodeIdSchema } from "../contract/documents.ts";
import { DOMAINS } from "../contract/domains.ts";
import { isSignedBy, signValue } from "../contract/signature.ts";
import { ASFP_LIMITS } from "./limits.ts";
import { recordHash, type SignedPeerRecord, SignedPeerRecordSchema } from "./peer-record.ts";

export const HANDSHAKE_PATH = "/handshake";
/** RFC 9266: both ends of one TLS connection compute the same 32 bytes, and nobody else can. */
export const CHANNEL = { label: "EXPORTER-Channel-Binding", bytes: 32 } as const;

const Version = Type.String({ minLength: 1, maxLength: 16 });
const Versions = Type.Array(Version, { minItems: 1, maxItems: 8 });
const Features = Type.Array(Type.String({ maxLength: 16 }), { maxItems: 32 });
const Proof = Type.String({ minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9_-]+$" });
const Challenge = Type.String({ minLength: 1, maxLength: ASFP_LIMITS.challengeChars });

/** What the document itself asks for. */
const DOCUMENT_MEMBERS = {
  node_id: NodeIdSchema,
  version: Version,
  endpoint: Type.String({ maxLength: ASFP_LIMITS.urlChars }),
};
const FULL_MEMBERS = {
  versions: Versions,
  features: Features,
  /** 24 random bytes, base64url. */
  nonce: Type.String({ pattern: "^[A-Za-z0-9_-]{32}$" }),
  /** Node id of who is called; null when it is not known. */
  to: Type.Union([NodeIdSchema, Type.Null()]),
  record: SignedPeerRecordSchema,
};

/** A peer that proves nothing. */
export const DocumentHandshakeSchema = Type.Object(DOCUMENT_MEMBERS);
export const FirstRoundSchema = Type.Object({ ...DOCUMENT_MEMBERS, ...FULL_MEMBERS });
export const SecondRoundSchema = Type.Object({
  ...DOCUMENT_MEMBERS,
  ...FULL_MEMBERS,
  challenge: Challenge,
  /** Of the caller, over `transcriptOfCaller`. */
  proof: Proof,
});
export type FirstRound = Static<typeof FirstRoundSchema>;
export type SecondRound = Static<typeof SecondRoundSchema>;

export const FirstAnswerSchema = Type.Object({
  status: Type.Literal("accepted"),
  challenge: Challenge,
  node_id: NodeIdSchema,
  record: SignedPeerRecordSchema,
  version: Version,
  versions: Versions,
  features: Features,
  /** Of the answerer, over `transcriptOfAnswerer`. */
  proof: Proof,
  /** Epoch milliseconds. */
  server_time: Type.Integer({ minimum: 0 }),
});
export type FirstAnswer = Static<typeof FirstAnswerSchema>;

export const SessionSchema = Type.Object({
  token: Type.String({ minLength: 1, maxLength: 1024, pattern: "^[A-Za-z0-9_.-]+$" }),
  expires_in_ms: Type.Integer({ minimum: 1, maximum: 24 * 3_600_000 }),
  scope: Type.Array(Type.String({ maxLength: 16 }), { maxItems: 16 }),
});
export type Session = Static<typeof SessionSchema>;

export const AcceptedSchema = Type.Object({
  status: Type.Literal("accepted"),
  challenge: Challenge,
  trust: Type.String({ maxLength: 16 }),
  session: SessionSchema,
});
export type Accepted = Static<typeof AcceptedSchema>;

/** What both sides know before either has proven anything. */
export interface Meeting {
  /** Node ids of the caller and of the answerer. */
  readonly from: string;
  readonly to: string;
  /** `host:port` as the caller dialled it. */
  readonly authority: string;
  readonly offered: Pick<FirstRound, "versions" | "features">;
  readonly answered: Pick<FirstAnswer, "versions" | "features">;
  /** TLS exporter of the connection. */
  readonly channel: Uint8Array;
}

function meetingMembers({ from, to, authority, offered, answered, channel }: Meeting) {
  return {
    ...{ from, to, authority },
    versions: { from: offered.versions, to: answered.versions },
    features: { from: offered.features, to: answered.features },
    channel: Buffer.from(channel).toString("base64url"),
  };
}

/** What the answerer signs. With the channel in it, a proof that was fetched over another connection is of no use. */
export function transcriptOfAnswerer(meeting: Meeting, nonce: string, record: SignedPeerRecord) {
  return { ...meetingMembers(meeting), nonce, record: recordHash(record) };
}

/** What the caller signs. */
export function transcriptOfCaller(meeting: Meeting, challenge: string, record: SignedPeerRecord) {
  return { ...meetingMembers(meeting), challenge, record: recordHash(record) };
}

export function proveAnswer(transcript: ReturnType<typeof transcriptOfAnswerer>, serviceKey: KeyObject): string {
  return signValue(DOMAINS.handshakeAnswer, transcript, serviceKey);
}

export function provesAnswer(
  transcript: ReturnType<typeof transcriptOfAnswerer>,
  proof: string,
  serviceKey: KeyObject,
): boolean {
  return isSignedBy(DOMAINS.handshakeAnswer, transcript, proof, serviceKey);
}

export function proveCall(transcript: ReturnType<typeof transcriptOfCaller>, serviceKey: KeyObject): string {
  return signValue(DOMAINS.handshakeProof, transcript, serviceKey);
}

export function provesCall(
  transcript: ReturnType<typeof transcriptOfCaller>,
  proof: string,
  serviceKey: KeyObject,
): boolean {
  return isSignedBy(DOMAINS.handshakeProof, transcript, proof, serviceKey);
}

/** SHA-256 of a first round, also of the one that a second round repeats, whatever its further members. @throws {TypeError} */
export function firstRoundHash(round: object): Buffer {
  const { challenge: _challenge, proof: _proof, ...first } = round as Record<string, unknown>;
  return createHash("sha256").update(canonicalJson(first), "utf8").digest();
}
