import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { signDelegation } from "../contract/delegation.ts";
import { ASFP_LIMITS } from "./limits.ts";
import { checkPeerRecord, type PeerRecord, recordHash, signPeerRecord } from "./peer-record.ts";

const DAY_MS = 24 * 3_600_000;
const NOW = Date.UTC(2026, 4, 1);

function identity(notAfter = NOW + 90 * DAY_MS) {
  const keys = generateKeyPairSync("ed25519");
  const service = generateKeyPairSync("ed25519");
  const delegation = signDelegation(keys.privateKey, service.publicKey, { notBefore: NOW, notAfter });
  return { delegation, serviceKey: service.privateKey, nodeId: delegation.delegation.node_id };
}
const own = identity();

function record(change: Partial<PeerRecord> & Record<string, unknown> = {}, of = own): PeerRecord {
  return {
    ...{ node_id: of.nodeId, seq: NOW, endpoint: "https://a.example:8443/api/v1/federation" },
    ...{ capabilities: ["store"], versions: ["1.0"], features: ["token"], delegation: of.delegation },
    tls_spki: [`sha256:${"ab".repeat(32)}`],
    ...{ issued_at: NOW, expires_at: NOW + ASFP_LIMITS.recordLifetimeMs },
    ...change,
  };
}
const refusal = (value: unknown, nowMs = NOW) => {
  const checked = checkPeerRecord(value, nowMs);
  return "refused" in checked ? checked.refused : undefined;
};

describe("a peer record", () => {
  test("that its node signed is taken, with members that nobody knows", () => {
    const signed = signPeerRecord(record({ future: { deep: [1] } }), own.serviceKey);
    const arrived = JSON.parse(JSON.stringify(signed)) as unknown;
    expect(refusal(arrived)).toBeUndefined();
    expect(recordHash(arrived as typeof signed)).toBe(recordHash(signed));
  });

  test("changed in any member is refused", () => {
    const signed = signPeerRecord(record(), own.serviceKey);
    fc.assert(
      fc.property(fc.constantFrom("seq", "endpoint", "features", "tls_spki", "extra"), fc.string(), (member, text) => {
        const changes: Readonly<Record<string, unknown>> = {
          ...{
            seq: NOW + 1,
            endpoint: `https://${encodeURIComponent(text)}.b.example`,
            features: [`x${text.slice(0, 9)}`],
          },
          ...{ tls_spki: [`sha256:${"cd".repeat(32)}`], extra: text },
        };
        expect(refusal({ ...signed, record: { ...signed.record, [member]: changes[member] } })).toBeTypeOf("string");
      }),
    );
  });

  test("of another identity, or by a key that is not delegated, is refused", () => {
    const other = identity();
    expect(refusal(signPeerRecord(record(), other.serviceKey))).toMatch(/signature/);
    expect(refusal(signPeerRecord(record({ node_id: other.nodeId }), own.serviceKey))).toMatch(/another node/);
    const forged = { ...own.delegation, delegation: { ...own.delegation.delegation, not_after: NOW + 1_000 * DAY_MS } };
    expect(refusal(signPeerRecord(record({ delegation: forged }), own.serviceKey))).toMatch(/delegation/);
  });

  test.each([
    ["a day ahead", NOW - DAY_MS, undefined],
    ["a day behind at its end", NOW + ASFP_LIMITS.recordLifetimeMs + DAY_MS, undefined],
    ["three days ahead", NOW - 3 * DAY_MS, /more than two days/],
    ["over", NOW + ASFP_LIMITS.recordLifetimeMs + 3 * DAY_MS, /more than two days ago/],
  ])("whose clock is %s", (_name, nowMs, expected) => {
    const refused = refusal(signPeerRecord(record(), own.serviceKey), nowMs);
    if (expected === undefined) expect(refused).toBeUndefined();
    else expect(refused).toMatch(expected);
  });

  test("that lives too long, ends before it begins, or whose delegation ended is refused", () => {
    const long = record({ expires_at: NOW + ASFP_LIMITS.recordLifetimeMs + 1 });
    expect(refusal(signPeerRecord(long, own.serviceKey))).toMatch(/30 days/);
    expect(refusal(signPeerRecord(record({ expires_at: NOW }), own.serviceKey))).toMatch(/ends before/);
    const ended = identity(NOW + DAY_MS);
    const late = record({ expires_at: NOW + 9 * DAY_MS }, ended);
    expect(refusal(signPeerRecord(late, ended.serviceKey), NOW + 4 * DAY_MS)).toMatch(/delegation ended/);
  });

  test("larger than 4 KiB, or without a canonical form, is refused", () => {
    const large = record({ padding: "x".repeat(ASFP_LIMITS.recordBytes) });
    expect(refusal(signPeerRecord(large, own.serviceKey))).toMatch(/bytes/);
    const signed = signPeerRecord(record(), own.serviceKey);
    expect(refusal({ ...signed, record: { ...signed.record, half: "\ud800" } })).toBeTypeOf("string");
  });

  test("is never anything else", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => typeof refusal(value) === "string"));
  });
});
