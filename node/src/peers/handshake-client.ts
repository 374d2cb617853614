/** The calling side of a handshake: both rounds on one new connection, which stays for the calls after it. */
import { type KeyObject, randomBytes } from "node:crypto";
import type { TSchema } from "typebox";
import Value from "typebox/value";
import {
  type Accepted,
  AcceptedSchema,
  type FirstAnswer,
  FirstAnswerSchema,
  type FirstRound,
  HANDSHAKE_PATH,
  type Meeting,
  proveCall,
  provesAnswer,
  type Session,
  transcriptOfAnswerer,
  transcriptOfCaller,
} from "../asfp/handshake.ts";
import { ASFP_FEATURES, ASFP_LIMITS, ASFP_VERSION, ASFP_VERSIONS, speaksOurMajor } from "../asfp/limits.ts";
import { checkPeerRecord, type SignedPeerRecord } from "../asfp/peer-record.ts";
import { PeerError, peerText } from "./errors.ts";
import { Channel } from "./outgoing/channel.ts";
import { parseAnswer, readUpTo } from "./outgoing/read-body.ts";
import type { DialTarget, Secured } from "./outgoing/tls-dialler.ts";
import type { OwnRecord } from "./own-record.ts";

export interface HandshakeClientParts {
  readonly nodeId: () => string;
  readonly serviceKey: () => KeyObject;
  readonly own: OwnRecord;
  readonly nowMs: () => number;
}

/** Who proved to be there, and whether it lets this node in. */
export interface Met {
  readonly nodeId: string;
  readonly signed: SignedPeerRecord;
  /** `sha256:<hex>` of the certificate's key of the connection. */
  readonly spki: string;
  /** To be closed by who gets it. */
  readonly channel: Channel;
  /** Why there is no session: the peer answered, but lets this node in not yet, or not at all. */
  readonly admission: { readonly session: Session } | { readonly refusal: PeerError };
}

/**
 * @param expected - node id; `undefined` when it is to be found out
 * @param checkKey - of the certificate's key, before anything is sent
 * @throws {PeerError} @throws the signal's reason
 */
export async function handshake(
  parts: HandshakeClientParts,
  target: DialTarget,
  expected: string | undefined,
  checkKey: (spki: string) => PeerError | undefined,
  signal: AbortSignal,
): Promise<Met> {
  const channel = new Channel(target);
  channel.accept(checkKey);
  try {
    return await meet(parts, channel, expected, signal);
  } catch (error) {
    await channel.destroy();
    throw error;
  }
}

async function meet(
  parts: HandshakeClientParts,
  channel: Channel,
  expected: string | undefined,
  signal: AbortSignal,
): Promise<Met> {
  const { endpoint } = channel;
  const record = await parts.own.current();
  const first: FirstRound = {
    node_id: parts.nodeId(),
    version: ASFP_VERSION,
    endpoint: record.record.endpoint,
    versions: [...ASFP_VERSIONS],
    features: [...ASFP_FEATURES],
    nonce: randomBytes(24).toString("base64url"),
    to: expected ?? null,
    record,
  };
  const answer = checkedAnswer<FirstAnswer>(FirstAnswerSchema, await post(channel, first, signal, 200));
  if (answer.node_id === first.node_id) throw new PeerError("OWN_NODE", { endpoint });
  const connection = channel.onlyConnection;
  if (connection === undefined) throw new PeerError("UNREACHABLE", { endpoint, reason: "the connection broke" });
  const meeting = meetingOf(first, answer, channel, connection);
  const signed = provenRecord(first, answer, meeting, channel, parts.nowMs());
  if (expected !== undefined && expected !== answer.node_id) {
    throw new PeerError("IDENTITY_MISMATCH", { endpoint, expected, actual: answer.node_id });
  }
  if (!speaksOurMajor(answer.versions)) throw new PeerError("VERSION_UNSUPPORTED", { versions: answer.versions });
  const { challenge } = answer;
  const proof = proveCall(transcriptOfCaller(meeting, challenge, record), parts.serviceKey());
  const admission = await admissionOf(channel, { ...first, challenge, proof }, signal);
  return { nodeId: answer.node_id, signed, spki: connection.spki, channel, admission };
}

function meetingOf(first: FirstRound, answer: FirstAnswer, channel: Channel, connection: Secured): Meeting {
  const { authority } = channel;
  return {
    from: first.node_id,
    to: answer.node_id,
    authority,
    offered: first,
    answered: answer,
    channel: connection.channel,
  };
}

/** The answerer proves its key for this very connection before it gets a proof of ours. */
function provenRecord(
  first: FirstRound,
  answer: FirstAnswer,
  meeting: Meeting,
  { endpoint }: Channel,
  nowMs: number,
): SignedPeerRecord {
  const expected = first.to ?? "any";
  const checked = checkPeerRecord(answer.record, nowMs);
  if ("refused" in checked) throw new PeerError("BAD_ANSWER", { reason: `its record: ${checked.refused}` });
  const transcript = transcriptOfAnswerer(meeting, first.nonce, checked.signed);
  const isProven =
    checked.record.node_id === answer.node_id && provesAnswer(transcript, answer.proof, checked.serviceKey);
  if (!isProven) {
    const actual = `one that claims to be ${answer.node_id} without proof`;
    throw new PeerError("IDENTITY_MISMATCH", { endpoint, expected, actual });
  }
  return checked.signed;
}

async function admissionOf(channel: Channel, second: object, signal: AbortSignal): Promise<Met["admission"]> {
  try {
    const accepted = checkedAnswer<Accepted>(AcceptedSchema, await post(channel, second, signal, 200));
    return { session: accepted.session };
  } catch (error) {
    if (error instanceof PeerError && error.code === "NOT_ADMITTED") return { refusal: error as PeerError };
    throw error;
  }
}

async function post(channel: Channel, body: object, signal: AbortSignal, expected: number): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const request = { method: "POST", path: HANDSHAKE_PATH, headers, body: JSON.stringify(body) } as const;
  const answer = await channel.request(request, signal);
  let parsed: unknown;
  try {
    parsed = parseAnswer(await readUpTo(answer.body, 2 * ASFP_LIMITS.handshakeBodyBytes));
  } catch (error) {
    throw channel.failure(error, signal);
  }
  if (answer.status === expected) return parsed;
  throw refusalOf(answer.status, parsed, answer.headers["retry-after"]);
}

/** What a peer's status other than 200 says. */
function refusalOf(status: number, body: unknown, retryAfter: string | undefined): PeerError {
  const { detail, versions } = (body ?? {}) as { readonly detail?: unknown; readonly versions?: unknown };
  const said = typeof detail === "string" ? peerText(detail) : `status ${status}`;
  if (status === 202) return new PeerError("NOT_ADMITTED", { status: "pending", reason: "it waits for approval" });
  if (status === 403) return new PeerError("NOT_ADMITTED", { status: "refused", reason: said });
  if (status === 426) return new PeerError("VERSION_UNSUPPORTED", { versions: saidVersions(versions) });
  if (status === 429 || status === 503) return new PeerError("TOO_MANY", { retryAfterMs: saidDelayMs(retryAfter) });
  return new PeerError("BAD_ANSWER", { reason: said });
}

function saidVersions(versions: unknown): readonly string[] {
  return Array.isArray(versions) ? versions.slice(0, 8).map(String).map(peerText) : [];
}

function saidDelayMs(retryAfter: string | undefined): number {
  const seconds = Number(retryAfter);
  return seconds > 0 && seconds < 3_600 ? seconds * 1_000 : 5_000;
}

function checkedAnswer<T>(schema: TSchema & { readonly static?: T }, value: unknown): T {
  if (Value.Check(schema, value)) return value as T;
  const members = typeof value === "object" && value !== null ? value : {};
  const isDocumentOnly = "challenge" in members && !("proof" in members) && !("session" in members);
  throw new PeerError("BAD_ANSWER", {
    reason: isDocumentOnly ? "it does not prove who it is" : "it does not have the shape of a handshake's answer",
  });
}
