/** The answering side of a handshake. Nothing is kept between the two rounds: any replica can answer either. */
import type { KeyObject } from "node:crypto";
import type { TSchema } from "typebox";
import Value from "typebox/value";
import {
  type Accepted,
  DocumentHandshakeSchema,
  type FirstAnswer,
  type FirstRound,
  FirstRoundSchema,
  firstRoundHash,
  type Meeting,
  proveAnswer,
  provesCall,
  type SecondRound,
  SecondRoundSchema,
  transcriptOfAnswerer,
  transcriptOfCaller,
} from "../asfp/handshake.ts";
import { ASFP_FEATURES, ASFP_VERSION, ASFP_VERSIONS, speaksOurMajor } from "../asfp/limits.ts";
import { checkPeerRecord } from "../asfp/peer-record.ts";
import { openChallenge, sealChallenge } from "../asfp/sealed.ts";
import { HandshakeError } from "./errors.ts";
import { HandshakeLimits } from "./handshake-limits.ts";
import type { OwnRecord } from "./own-record.ts";
import type { PeerTable } from "./peer-table.ts";
import type { PeerSessions } from "./sessions.ts";
import { REFUSALS, type Trust } from "./trust.ts";

export interface HandshakeCall {
  readonly body: unknown;
  /** As the caller named this node: its `Host`. */
  readonly authority: string;
  /** TLS exporter of the connection. */
  readonly channel: Uint8Array;
  /** IP address of the caller. */
  readonly address: string;
}

export interface HandshakeReply {
  readonly status: 200 | 202;
  readonly body: object;
}

export interface HandshakeServiceParts {
  readonly nodeId: () => string;
  readonly serviceKey: () => KeyObject;
  readonly own: OwnRecord;
  readonly trust: Trust;
  readonly table: PeerTable;
  readonly sessions: PeerSessions;
  /** Whether a node that proved its key and that nobody named is listed for approval. */
  readonly isListed: (nodeId: string) => boolean;
  /** A peer that is let in has called. */
  readonly admitted: (nodeId: string) => void;
  /** How a handshake ended. */
  readonly ended: (result: string) => void;
  readonly nowMs: () => number;
}

const OURS = { versions: [...ASFP_VERSIONS], features: [...ASFP_FEATURES] };

export class HandshakeService {
  readonly #parts: HandshakeServiceParts;
  readonly #limits = new HandshakeLimits();

  constructor(parts: HandshakeServiceParts) {
    this.#parts = parts;
  }

  /** @throws {HandshakeError} */
  async answer(call: HandshakeCall): Promise<HandshakeReply> {
    try {
      return await this.#answer(call);
    } catch (error) {
      if (error instanceof HandshakeError) this.#parts.ended((error as HandshakeError).code.toLowerCase());
      throw error;
    }
  }

  async #answer(call: HandshakeCall): Promise<HandshakeReply> {
    const round = parse(call.body);
    const { node_id: nodeId } = round.message;
    const versions = round.kind === "document" ? [] : round.message.versions;
    if (!speaksOurMajor([round.message.version, ...versions])) {
      throw new HandshakeError("VERSION_UNSUPPORTED", { versions: [...ASFP_VERSIONS] });
    }
    const admission = this.#parts.trust.admits(nodeId);
    if (admission.kind === "refused") {
      throw new HandshakeError("NOT_WHITELISTED", { reason: REFUSALS[admission.reason] });
    }
    const isNamed = admission.kind === "trusted" && round.kind !== "document";
    const nowMs = this.#parts.nowMs();
    if (round.kind === "second") {
      allow(this.#limits.second(isNamed, nowMs));
      return this.#second(round.message, call, nowMs);
    }
    allow(this.#limits.first(call.address, isNamed, nowMs));
    return round.kind === "first" ? this.#first(round.message, call, nowMs) : this.#documentOnly(nodeId, call, nowMs);
  }

  #documentOnly(nodeId: string, call: HandshakeCall, nowMs: number): HandshakeReply {
    if (this.#parts.trust.isPrivate) {
      throw new HandshakeError("NOT_WHITELISTED", { reason: "this node lets in nobody who does not prove its key" });
    }
    this.#parts.ended("claimed");
    return { status: 200, body: { status: "accepted", challenge: this.#challenge(nodeId, call, nowMs) } };
  }

  async #first(message: FirstRound, call: HandshakeCall, nowMs: number): Promise<HandshakeReply> {
    const challenge = this.#challenge(message.node_id, call, nowMs);
    const checked = checkPeerRecord(message.record, nowMs);
    if ("refused" in checked)
      throw new HandshakeError("BAD_PROOF", { reason: `record: ${checked.refused}`, challenge });
    if (checked.record.node_id !== message.node_id) {
      throw new HandshakeError("BAD_PROOF", { reason: "record: it is of another node", challenge });
    }
    const { nodeId, serviceKey, own } = this.#parts;
    const record = await own.current();
    const transcript = transcriptOfAnswerer(this.#meeting(message, call), message.nonce, record);
    const body: FirstAnswer = {
      ...{ status: "accepted", challenge, node_id: nodeId(), record, version: ASFP_VERSION, ...OURS },
      proof: proveAnswer(transcript, serviceKey()),
      server_time: nowMs,
    };
    return { status: 200, body };
  }

  #second(message: SecondRound, call: HandshakeCall, nowMs: number): HandshakeReply {
    const spkis = this.#prove(message, call, nowMs);
    const { trust, table, sessions, isListed, admitted, ended } = this.#parts;
    const { node_id: nodeId } = message;
    const admission = trust.admits(nodeId, spkis);
    if (admission.kind === "refused") {
      throw new HandshakeError("NOT_WHITELISTED", { reason: REFUSALS[admission.reason] });
    }
    if (admission.kind !== "trusted") allow(this.#limits.proven(nodeId, nowMs));
    if (admission.kind === "pending") {
      if (!isListed(nodeId)) throw new HandshakeError("NOT_WHITELISTED", { reason: "this node is not on the list" });
      table.learn(message.record, "proven", "handshake");
      ended("pending");
      return { status: 202, body: { status: "pending", challenge: this.#challenge(nodeId, call, nowMs) } };
    }
    table.learn(message.record, "proven", "handshake");
    ended("accepted");
    admitted(nodeId);
    const session = sessions.issue(nodeId);
    const challenge = this.#challenge(nodeId, call, nowMs);
    const body: Accepted = { status: "accepted", challenge, trust: "proven", session };
    return { status: 200, body };
  }

  /** @returns the certificate keys that its record names */
  #prove(message: SecondRound, call: HandshakeCall, nowMs: number): readonly string[] {
    const { nodeId, serviceKey } = this.#parts;
    const bad = (reason: string) =>
      new HandshakeError("BAD_PROOF", { reason, challenge: this.#challenge(message.node_id, call, nowMs) });
    const state = openChallenge(serviceKey(), message.challenge, this.#challengeOf(message.node_id, call), nowMs);
    if (state === "foreign") throw bad("the challenge is not one that this node gave for this first round");
    if (state === "expired") {
      const challenge = this.#challenge(message.node_id, call, nowMs);
      throw new HandshakeError("CHALLENGE_EXPIRED", { challenge });
    }
    if (message.to !== null && message.to !== nodeId()) throw bad("it is addressed to another node");
    const checked = checkPeerRecord(message.record, nowMs);
    if ("refused" in checked) throw bad(`record: ${checked.refused}`);
    if (checked.record.node_id !== message.node_id) throw bad("record: it is of another node");
    const transcript = transcriptOfCaller(this.#meeting(message, call), message.challenge, checked.signed);
    if (!provesCall(transcript, message.proof, checked.serviceKey)) {
      throw bad("the proof does not verify for this node, address and connection");
    }
    return checked.record.tls_spki;
  }

  #meeting(message: FirstRound, { authority, channel }: HandshakeCall): Meeting {
    return { from: message.node_id, to: this.#parts.nodeId(), authority, offered: message, answered: OURS, channel };
  }

  #challenge(from: string, call: HandshakeCall, nowMs: number): string {
    return sealChallenge(this.#parts.serviceKey(), this.#challengeOf(from, call), nowMs);
  }

  #challengeOf(from: string, { authority, body }: HandshakeCall) {
    return { from, authority, firstRoundHash: hashOf(body) };
  }
}

function allow(waitMs: number): void {
  if (waitMs > 0) throw new HandshakeError("RATE_LIMITED", { retryAfterMs: waitMs });
}

type Round =
  | { readonly kind: "document"; readonly message: { readonly node_id: string; readonly version: string } }
  | { readonly kind: "first"; readonly message: FirstRound }
  | { readonly kind: "second"; readonly message: SecondRound };

/** A body with neither nonce nor record is the document's own form, whatever else it holds. */
function parse(body: unknown): Round {
  const members = typeof body === "object" && body !== null ? body : {};
  if ("proof" in members) return { kind: "second", message: checked(SecondRoundSchema, body) };
  if ("nonce" in members || "record" in members) return { kind: "first", message: checked(FirstRoundSchema, body) };
  return { kind: "document", message: checked(DocumentHandshakeSchema, body) };
}

function checked<T>(schema: TSchema & { readonly static?: T }, body: unknown): T {
  if (Value.Check(schema, body)) return body as T;
  const [first] = Value.Errors(schema, body);
  const reason = `body${first?.instancePath ?? ""} ${first?.message ?? "does not match the schema"}`;
  throw new HandshakeError("BAD_ROUND", { reason });
}

/** Members that nobody knows may hold what has no canonical form: half a character, or endless nesting. */
function hashOf(body: unknown): Buffer {
  try {
    return firstRoundHash(body as object);
  } catch (error) {
    throw new HandshakeError("BAD_ROUND", { reason: "body has no canonical form" }, { cause: error });
  }
}
