/** Failures between peers, on the calling and on the answering side. Codes are log-stable: add, never rename. */
import { ASFP_LIMITS } from "../asfp/limits.ts";
import type { PeerFailure } from "../contract/federation-reports.ts";

export interface PeerErrorDetails {
  /** Its addresses cannot be looked up or dialled, or the connection broke. */
  readonly UNREACHABLE: { readonly endpoint: string; readonly reason: string };
  readonly TLS_FAILED: { readonly endpoint: string; readonly reason: string };
  /** Somebody else, or somebody who cannot prove to be it, answers there. */
  readonly IDENTITY_MISMATCH: { readonly endpoint: string; readonly expected: string; readonly actual: string };
  readonly PIN_MISMATCH: { readonly endpoint: string; readonly actual: string };
  /** The address filter refuses it. */
  readonly ADDRESS_FORBIDDEN: { readonly endpoint: string; readonly reason: string };
  readonly VERSION_UNSUPPORTED: { readonly versions: readonly string[] };
  /** The peer does not let this node in, or not yet. */
  readonly NOT_ADMITTED: { readonly status: "pending" | "refused"; readonly reason: string };
  /** This node's own trust document keeps the peer out. */
  readonly NOT_TRUSTED: { readonly nodeId: string; readonly reason: string };
  readonly NO_ENDPOINT: { readonly nodeId: string };
  readonly OWN_NODE: { readonly endpoint: string };
  readonly ANSWER_TOO_LARGE: { readonly maxBytes: number };
  readonly BAD_ANSWER: { readonly reason: string };
  readonly TOO_MANY: { readonly retryAfterMs: number };
  readonly BREAKER_OPEN: { readonly retryAfterMs: number; readonly last: string };
}
export type PeerErrorCode = keyof PeerErrorDetails;

const MESSAGES: { readonly [C in PeerErrorCode]: (details: PeerErrorDetails[C]) => string } = {
  UNREACHABLE: ({ endpoint, reason }) => `${endpoint} cannot be reached: ${reason}; check address and firewall`,
  TLS_FAILED: ({ endpoint, reason }) => `${endpoint}: ${reason}; TLS 1.3 must end at the node itself`,
  IDENTITY_MISMATCH: ({ endpoint, expected, actual }) =>
    `${endpoint}: expected node ${expected}, found ${actual}; correct the node id or the address`,
  PIN_MISMATCH: ({ endpoint, actual }) =>
    `${endpoint}: its certificate's key is ${actual}, which no pin names; correct the pins or the address`,
  ADDRESS_FORBIDDEN: ({ endpoint, reason }) =>
    `${endpoint} is not dialled: ${reason}; name the endpoint in the peer's own entry, or allow its network`,
  VERSION_UNSUPPORTED: ({ versions }) =>
    `the peer speaks versions ${versions.join(", ") || "unknown"}; upgrade whichever node is older`,
  NOT_ADMITTED: ({ status, reason }) =>
    status === "pending"
      ? `the peer has not let this node in yet: ${reason}; its operator must add or approve this node`
      : `the peer refuses this node: ${reason}; ask its operator to add this node`,
  NOT_TRUSTED: ({ nodeId, reason }) => `node ${nodeId} is not trusted here: ${reason}; add or approve it first`,
  NO_ENDPOINT: ({ nodeId }) => `no endpoint of node ${nodeId} is known; name one in its entry`,
  OWN_NODE: ({ endpoint }) => `${endpoint} is this node itself; remove it`,
  ANSWER_TOO_LARGE: ({ maxBytes }) => `the peer's answer is longer than ${maxBytes} bytes; ask for less at once`,
  BAD_ANSWER: ({ reason }) => `the peer's answer cannot be used: ${reason}; look at the peer's version and log`,
  TOO_MANY: ({ retryAfterMs }) => `the peer takes no more handshakes now; again in ${retryAfterMs} ms`,
  BREAKER_OPEN: ({ retryAfterMs, last }) => `not tried for ${retryAfterMs} ms after failures; the last: ${last}`,
};

export class PeerError<C extends PeerErrorCode = PeerErrorCode> extends Error {
  override readonly name = "PeerError";
  readonly code: C;
  readonly details: PeerErrorDetails[C];

  constructor(code: C, details: PeerErrorDetails[C], options?: ErrorOptions) {
    super(MESSAGES[code](details), options);
    this.code = code;
    this.details = details;
  }
}

/** Codes that are the peer's failure as reports name it; the others are answers, or this node's own decision. */
const REASONS: { readonly [C in PeerErrorCode]: PeerFailure["reason"] | undefined } = {
  UNREACHABLE: "DialFailed",
  TLS_FAILED: "TLSFailed",
  IDENTITY_MISMATCH: "IdentityMismatch",
  PIN_MISMATCH: "PinMismatch",
  ADDRESS_FORBIDDEN: "AddressForbidden",
  VERSION_UNSUPPORTED: "ProtocolTooOld",
  NOT_ADMITTED: "NotAdmitted",
  NOT_TRUSTED: undefined,
  NO_ENDPOINT: "DialFailed",
  OWN_NODE: "IdentityMismatch",
  ANSWER_TOO_LARGE: undefined,
  BAD_ANSWER: "DialFailed",
  TOO_MANY: undefined,
  BREAKER_OPEN: undefined,
};

/** As reports tell it; `undefined` when it says nothing of the peer. */
export function peerFailure(error: PeerError): PeerFailure | undefined {
  const reason = REASONS[error.code];
  if (reason === undefined) return undefined;
  const isNewer =
    error.code === "VERSION_UNSUPPORTED" &&
    (error as PeerError<"VERSION_UNSUPPORTED">).details.versions.some(isAfterOurs);
  return { reason: isNewer ? "ProtocolTooNew" : reason, message: peerText(error.message) };
}

const isAfterOurs = (version: string) => Number(version.split(".")[0]) > 1;

/** A peer's words as they may stand in logs, reports and errors: without control characters, and cut. */
export function peerText(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e]/gu, "?").slice(0, ASFP_LIMITS.peerTextChars);
}

export interface HandshakeErrorDetails {
  /** The body is no handshake. */
  readonly BAD_ROUND: { readonly reason: string };
  readonly NOT_WHITELISTED: { readonly reason: string };
  readonly BAD_PROOF: { readonly reason: string; readonly challenge: string };
  readonly CHALLENGE_EXPIRED: { readonly challenge: string };
  readonly VERSION_UNSUPPORTED: { readonly versions: readonly string[] };
  readonly RATE_LIMITED: { readonly retryAfterMs: number };
}
export type HandshakeErrorCode = keyof HandshakeErrorDetails;

const REFUSALS: { readonly [C in HandshakeErrorCode]: (details: HandshakeErrorDetails[C]) => string } = {
  BAD_ROUND: ({ reason }) => reason,
  NOT_WHITELISTED: ({ reason }) => `${reason}; ask this node's operator to add yours`,
  BAD_PROOF: ({ reason }) => `${reason}; begin the handshake again, on one connection`,
  CHALLENGE_EXPIRED: () => "the challenge is older than a minute; begin the handshake again",
  VERSION_UNSUPPORTED: ({ versions }) => `this node speaks ${versions.join(", ")}`,
  RATE_LIMITED: () => "too many handshakes; wait as long as Retry-After says",
};

/** Why a handshake that came in is refused. */
export class HandshakeError<C extends HandshakeErrorCode = HandshakeErrorCode> extends Error {
  override readonly name = "HandshakeError";
  readonly code: C;
  readonly details: HandshakeErrorDetails[C];

  constructor(code: C, details: HandshakeErrorDetails[C], options?: ErrorOptions) {
    super(REFUSALS[code](details), options);
    this.code = code;
    this.details = details;
  }

  get retryAfterMs(): number | undefined {
    return "retryAfterMs" in this.details ? this.details.retryAfterMs : undefined;
  }

  /** What the problem document says beside the code. */
  get members(): Readonly<Record<string, string | readonly string[]>> {
    const { challenge, versions } = this.details as { challenge?: string; versions?: readonly string[] };
    return { ...(challenge === undefined ? {} : { challenge }), ...(versions === undefined ? {} : { versions }) };
  }
}
