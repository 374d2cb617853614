import { generateKeyPairSync, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ASFP_LIMITS } from "./limits.ts";
import { openChallenge, openSession, SESSION_SCOPES, sealChallenge, sealSession } from "./sealed.ts";

const NOON = Date.UTC(2026, 4, 1, 12);
const MIDNIGHT = Date.UTC(2026, 4, 2);
const { privateKey } = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519").privateKey;
const of = { from: "ab".repeat(32), authority: "a.example:8443", firstRoundHash: randomBytes(32) };

describe("a challenge", () => {
  test("is valid for the caller, authority and first round it was made for, and for a minute", () => {
    const challenge = sealChallenge(privateKey, of, NOON);
    const last = NOON + ASFP_LIMITS.challengeLifetimeMs - 1;
    expect(challenge.length).toBeLessThanOrEqual(ASFP_LIMITS.challengeChars);
    expect(openChallenge(privateKey, challenge, of, NOON)).toBe("valid");
    expect(openChallenge(privateKey, challenge, of, last)).toBe("valid");
    expect(openChallenge(privateKey, challenge, of, last + 1)).toBe("expired");
    const changed = [{ from: "ac".repeat(32) }, { authority: "b.example:8443" }, { firstRoundHash: randomBytes(32) }];
    for (const change of changed) {
      expect(openChallenge(privateKey, challenge, { ...of, ...change }, NOON)).toBe("foreign");
    }
    expect(openChallenge(other, challenge, of, NOON)).toBe("foreign");
  });

  test("made before midnight is valid after it", () => {
    const challenge = sealChallenge(privateKey, of, MIDNIGHT - 1_000);
    expect(openChallenge(privateKey, challenge, of, MIDNIGHT + 1_000)).toBe("valid");
    expect(openChallenge(privateKey, challenge, of, MIDNIGHT + 48 * 3_600_000)).toBe("foreign");
  });

  test("with any byte changed is foreign", () => {
    const sealed = Buffer.from(sealChallenge(privateKey, of, NOON), "base64url");
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(sealed);
        changed[at] = (changed[at] ?? 0) ^ flip;
        expect(openChallenge(privateKey, changed.toString("base64url"), of, NOON)).toBe("foreign");
      }),
    );
  });
});

describe("a session", () => {
  test("names its node and scope until it ends", () => {
    fc.assert(
      fc.property(fc.subarray([...SESSION_SCOPES]), fc.uint8Array({ minLength: 32, maxLength: 32 }), (scope, id) => {
        const nodeId = Buffer.from(id).toString("hex");
        const token = sealSession(privateKey, { nodeId, scope }, NOON);
        expect(openSession(privateKey, token, NOON)).toEqual({ nodeId, scope });
        expect(openSession(privateKey, token, NOON + ASFP_LIMITS.sessionLifetimeMs)).toBeUndefined();
        expect(openSession(other, token, NOON)).toBeUndefined();
      }),
    );
  });

  test("is nothing that somebody else wrote, and no challenge", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(openSession(privateKey, text, NOON)).toBeUndefined();
        expect(openChallenge(privateKey, text, of, NOON)).toBe("foreign");
      }),
    );
    expect(openSession(privateKey, sealChallenge(privateKey, of, NOON), NOON)).toBeUndefined();
  });

  test("with any byte changed is none", () => {
    const sealed = Buffer.from(sealSession(privateKey, { nodeId: of.from, scope: [] }, NOON), "base64url");
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(openSession(privateKey, changed.toString("base64url"), NOON)).toBeUndefined();
    }
  });
});
