/** Peer records as nodes sign them, of nodes that exist in a test only. */
import { generateKeyPairSync } from "node:crypto";
import { ASFP_LIMITS } from "../../node/src/asfp/limits.ts";
import { type SignedPeerRecord, signPeerRecord } from "../../node/src/asfp/peer-record.ts";
import { signDelegation } from "../../node/src/contract/delegation.ts";

const DAY_MS = 24 * 3_600_000;

export interface RecordSigner {
  readonly nodeId: string;
  readonly record: (seq: number) => SignedPeerRecord;
}

/** @param nowMs - epoch milliseconds at which its records begin */
export function recordSigner(nowMs: number): RecordSigner {
  const keys = generateKeyPairSync("ed25519");
  const service = generateKeyPairSync("ed25519");
  const period = { notBefore: nowMs, notAfter: nowMs + 90 * DAY_MS };
  const delegation = signDelegation(keys.privateKey, service.publicKey, period);
  const nodeId = delegation.delegation.node_id;
  const record = (seq: number) =>
    signPeerRecord(
      {
        ...{ node_id: nodeId, seq, endpoint: `https://${nodeId.slice(0, 8)}.example:8443/api/v1/federation` },
        ...{ capabilities: ["store"], versions: ["1.0"], features: ["token"], delegation },
        ...{ tls_spki: [`sha256:${"ab".repeat(32)}`], issued_at: nowMs },
        expires_at: nowMs + ASFP_LIMITS.recordLifetimeMs,
      },
      service.privateKey,
    );
  return { nodeId, record };
}
