/** What strangers send before anybody trusts them: peer records, handshakes, challenges and session tokens, cursors. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import Value from "typebox/value";
import {
  DocumentHandshakeSchema,
  FirstAnswerSchema,
  FirstRoundSchema,
  firstRoundHash,
  SecondRoundSchema,
} from "../../../node/src/asfp/handshake.ts";
import { checkPeerRecord, type PeerRecord, signPeerRecord } from "../../../node/src/asfp/peer-record.ts";
import { openChallenge, openSession, sealChallenge, sealSession } from "../../../node/src/asfp/sealed.ts";
import { ChangesAnswerSchema, formatCursor, parseCursor } from "../../../node/src/asfp/sync-messages.ts";
import { signDelegation } from "../../../node/src/contract/delegation.ts";
import { type FuzzTarget, mustHold, plainSeeds } from "../target.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const DAY_MS = 24 * 3_600_000;
const identity = generateKeyPairSync("ed25519");
const service = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("ed25519");
const period = { notBefore: NOW_MS - DAY_MS, notAfter: NOW_MS + DAY_MS };
const delegation = signDelegation(identity.privateKey, service.publicKey, period);
const ID = delegation.delegation.node_id;
const RECORD: PeerRecord = {
  ...{ node_id: ID, seq: 7, endpoint: "https://a.example/api/v1/federation", program: "0.1.0" },
  ...{ capabilities: ["store", "search"], versions: ["1.0"], features: ["token", "feed"], delegation },
  ...{ tls_spki: [`sha256:${ID}`], issued_at: NOW_MS, expires_at: NOW_MS + DAY_MS },
};
const signed = signPeerRecord(RECORD, service.privateKey);
const first = {
  ...{ node_id: ID, version: "1.0", endpoint: RECORD.endpoint, versions: ["1.0"], features: ["token"] },
  ...{ nonce: "A".repeat(32), to: null, record: signed },
};
const challengeOf = { from: ID, authority: "a.example:443", firstRoundHash: firstRoundHash(first) };
const challenge = sealChallenge(service.privateKey, challengeOf, NOW_MS);
const session = sealSession(service.privateKey, { nodeId: ID, scope: ["sync"] }, NOW_MS);
const change = { seq: 1, op: "have", hash: ID, size: 10, t: 0, media: "application/warc", filename: "a.warc" };
const SEEDS = [
  ...[signed, first, { ...first, challenge, proof: "c2ln" }, { epoch: "e", items: [change], next: "e:1", more: false }],
  {
    status: "accepted",
    challenge,
    node_id: ID,
    record: signed,
    version: "1.0",
    versions: ["1.0"],
    features: [],
    proof: "a",
  },
].map((value) => JSON.stringify(value));

/** A value is either refused with a reason, or is what its signer said. */
function checkRecord(value: unknown, key: KeyObject, isOwn: boolean): void {
  const checked = checkPeerRecord(value, NOW_MS);
  if ("refused" in checked) {
    mustHold(checked.refused !== "", "a refusal without a reason");
    return;
  }
  mustHold(isOwn, "a record that the service key did not sign was taken");
  mustHold(checked.record.node_id === ID && key === service.privateKey, "a record of another node was taken");
}

export const peers: FuzzTarget = {
  watched: /\/node\/src\/(?:asfp|contract)\/|\/node_modules\/(?:typebox|canonicalize)\//,
  seeds: () => plainSeeds([...SEEDS, challenge, session, "e:1", formatCursor({ epoch: "abc", seq: 90_234 })]),
  words: ["{", "}", "[", '":', "null", "1e999", '"\\ud800"', '"__proto__":', '"toJSON":{},', "[[[[[[", "-", "_", ":"],
  maxCpuMs: 1_000,
  exercise: (bytes) => {
    const text = Buffer.from(bytes).toString("utf8");
    checkSealed(text);
    const cursor = parseCursor(text);
    if (cursor !== undefined) mustHold(Number.isSafeInteger(cursor.seq), "a cursor beyond what numbers can count");
    const value = parsed(text);
    if (value === undefined) return;
    for (const schema of [DocumentHandshakeSchema, FirstRoundSchema, SecondRoundSchema, FirstAnswerSchema])
      Value.Check(schema, value);
    Value.Check(ChangesAnswerSchema, value);
    checkRecord(value, service.privateKey, isAsSigned(value));
    for (const key of [service.privateKey, stranger.privateKey]) checkSignedAnew(value, key);
  },
};

/** Members beside `record` and `sig` are not signed; other spellings of the same signature are the same. */
function isAsSigned(value: unknown): boolean {
  const { record, sig } = (value ?? {}) as { readonly record?: unknown; readonly sig?: unknown };
  const bytes = (text: string): Buffer => Buffer.from(text, "base64url");
  return (
    typeof sig === "string" &&
    bytes(sig).equals(bytes(signed.sig)) &&
    isDeepStrictEqual(record, JSON.parse(JSON.stringify(RECORD)))
  );
}

/** With a signature that is right, so that what lies behind that check is reached too. */
function checkSignedAnew(value: unknown, key: KeyObject): void {
  const { record } = (value ?? {}) as { readonly record?: PeerRecord };
  if (typeof record !== "object" || record === null) return;
  const anew = signedWith(record, key);
  if (anew !== undefined) checkRecord(anew, key, key === service.privateKey);
}

/** `undefined` for what has no canonical form. */
function signedWith(record: PeerRecord, key: KeyObject): ReturnType<typeof signPeerRecord> | undefined {
  try {
    return signPeerRecord(record, key);
  } catch {
    return undefined;
  }
}

function checkSealed(text: string): void {
  const opened = openSession(service.privateKey, text, NOW_MS);
  mustHold(opened === undefined || Buffer.from(text, "base64url").equals(Buffer.from(session, "base64url")), "forged");
  const verdict = openChallenge(service.privateKey, text, challengeOf, NOW_MS);
  const isOurs = Buffer.from(text, "base64url").equals(Buffer.from(challenge, "base64url"));
  mustHold(verdict === "foreign" || isOurs, "a challenge that was not handed out was taken");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
