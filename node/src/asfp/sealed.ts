/**
 * Values that a node hands out and gets back, sealed so that nothing needs to be stored: challenges and session tokens. Keys
 * are derived from the service key and the UTC day, so that all replicas of a node agree.
 */
import { createHmac, hkdfSync, type KeyObject, randomBytes, timingSafeEqual } from "node:crypto";
import { ASFP_LIMITS } from "./limits.ts";

const DAY_MS = 24 * 3_600_000;
const VERSION = 1;
const RANDOM_BYTES = 16;
const MAC_BYTES = 32;
/** Version, day, expiry. */
const HEAD_BYTES = 1 + 4 + 6;
const CHALLENGE_BYTES = HEAD_BYTES + RANDOM_BYTES + MAC_BYTES;
const NODE_ID_BYTES = 32;
const TOKEN_BYTES = HEAD_BYTES + 1 + NODE_ID_BYTES + RANDOM_BYTES + MAC_BYTES;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

type Purpose = "challenge" | "session";

/** What a session may do; one bit each, in this order. */
export const SESSION_SCOPES = ["peers", "blob", "sync", "search"] as const;
export type SessionScope = (typeof SESSION_SCOPES)[number];

export interface ChallengeOf {
  /** Node id of who asked, as it says. */
  readonly from: string;
  readonly authority: string;
  readonly firstRoundHash: Uint8Array;
}

export interface SessionOf {
  readonly nodeId: string;
  readonly scope: readonly SessionScope[];
}

function dayKey(serviceKey: KeyObject, purpose: Purpose, day: number): Uint8Array {
  const secret = serviceKey.export({ type: "pkcs8", format: "der" });
  return new Uint8Array(hkdfSync("sha256", secret, "", `asfp-v1/${purpose}-key ${day}`, MAC_BYTES));
}

function headOf(day: number, expiryMs: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(VERSION, 0);
  head.writeUInt32BE(day, 1);
  head.writeUIntBE(expiryMs, 5, 6);
  return head;
}

/** Day and expiry when the version is ours and the day's key is in use: today's, and yesterday's until its values have ended. */
function readHead(sealed: Buffer, nowMs: number): { readonly day: number; readonly expiryMs: number } | undefined {
  const day = sealed.readUInt32BE(1);
  const today = Math.floor(nowMs / DAY_MS);
  if (sealed.readUInt8(0) !== VERSION || (day !== today && day !== today - 1)) return undefined;
  return { day, expiryMs: sealed.readUIntBE(5, 6) };
}

function decode(text: string, bytes: number): Buffer | undefined {
  if (!BASE64URL.test(text)) return undefined;
  const sealed = Buffer.from(text, "base64url");
  return sealed.length === bytes ? sealed : undefined;
}

/** @param nowMs - epoch milliseconds */
export function sealChallenge(serviceKey: KeyObject, of: ChallengeOf, nowMs: number, random = randomBytes): string {
  const day = Math.floor(nowMs / DAY_MS);
  const shown = Buffer.concat([headOf(day, nowMs + ASFP_LIMITS.challengeLifetimeMs), random(RANDOM_BYTES)]);
  return Buffer.concat([shown, challengeMac(serviceKey, day, shown, of)]).toString("base64url");
}

/** `expired`: it is a challenge of this node for this caller, but too old. */
export function openChallenge(
  serviceKey: KeyObject,
  challenge: string,
  of: ChallengeOf,
  nowMs: number,
): "valid" | "expired" | "foreign" {
  const sealed = decode(challenge, CHALLENGE_BYTES);
  if (sealed === undefined) return "foreign";
  const head = readHead(sealed, nowMs);
  if (head === undefined) return "foreign";
  const shown = sealed.subarray(0, CHALLENGE_BYTES - MAC_BYTES);
  const mac = challengeMac(serviceKey, head.day, shown, of);
  if (!timingSafeEqual(mac, sealed.subarray(CHALLENGE_BYTES - MAC_BYTES))) return "foreign";
  return nowMs < head.expiryMs ? "valid" : "expired";
}

function challengeMac(serviceKey: KeyObject, day: number, shown: Uint8Array, of: ChallengeOf): Buffer {
  return createHmac("sha256", dayKey(serviceKey, "challenge", day))
    .update(shown)
    .update(Buffer.from(of.from, "hex"))
    .update(of.firstRoundHash)
    .update(of.authority, "utf8")
    .digest();
}

/** @param nowMs - epoch milliseconds */
export function sealSession(serviceKey: KeyObject, of: SessionOf, nowMs: number, random = randomBytes): string {
  const day = Math.floor(nowMs / DAY_MS);
  const bits = SESSION_SCOPES.reduce((sum, scope, at) => sum + (of.scope.includes(scope) ? 1 << at : 0), 0);
  const shown = Buffer.concat([
    headOf(day, nowMs + ASFP_LIMITS.sessionLifetimeMs),
    Buffer.of(bits),
    Buffer.from(of.nodeId, "hex"),
    random(RANDOM_BYTES),
  ]);
  return Buffer.concat([shown, sessionMac(serviceKey, day, shown)]).toString("base64url");
}

/** Whose session it is; `undefined` when it is none of ours, or has ended. */
export function openSession(serviceKey: KeyObject, token: string, nowMs: number): SessionOf | undefined {
  const sealed = decode(token, TOKEN_BYTES);
  if (sealed === undefined) return undefined;
  const head = readHead(sealed, nowMs);
  if (head === undefined || nowMs >= head.expiryMs) return undefined;
  const shown = sealed.subarray(0, TOKEN_BYTES - MAC_BYTES);
  const mac = sessionMac(serviceKey, head.day, shown);
  if (!timingSafeEqual(mac, sealed.subarray(TOKEN_BYTES - MAC_BYTES))) return undefined;
  const bits = sealed.readUInt8(HEAD_BYTES);
  const nodeId = sealed.subarray(HEAD_BYTES + 1, HEAD_BYTES + 1 + NODE_ID_BYTES).toString("hex");
  return { nodeId, scope: SESSION_SCOPES.filter((_scope, at) => (bits & (1 << at)) !== 0) };
}

function sessionMac(serviceKey: KeyObject, day: number, shown: Uint8Array): Buffer {
  return createHmac("sha256", dayKey(serviceKey, "session", day))
    .update(shown)
    .digest();
}
