/**
 * Signing domains of ASFP. Each is put before the canonical bytes of what is signed, so that a signature made for one
 * purpose can never be shown as one for another.
 */
export const DOMAINS = {
  delegation: "asfp-v1/delegation\n",
  peerRecord: "asfp-v1/peer-record\n",
  /** The answering side of a handshake proves its key over transcript 1. */
  handshakeAnswer: "asfp-v1/handshake-answer\n",
  /** The calling side proves its key over transcript 2. */
  handshakeProof: "asfp-v1/handshake-proof\n",
} as const;
export type Domain = (typeof DOMAINS)[keyof typeof DOMAINS];
