import { createHash, type createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { expect, test } from "vitest";
import { signDelegation } from "../contract/delegation.ts";
import { nodeIdOf } from "../contract/node-id.ts";
import { verifyDelegation } from "./delegation.ts";

const identity = generateKeyPairSync("ed25519");
const service = generateKeyPairSync("ed25519");
const period = { notBefore: 1, notAfter: 2 };
const good = signDelegation(identity.privateKey, service.publicKey, period);

test("a node id is the hex SHA-256 of the identity key's SPKI DER", () => {
  const spki = identity.publicKey.export({ type: "spki", format: "der" });
  expect(nodeIdOf(identity.publicKey)).toBe(createHash("sha256").update(spki).digest("hex"));
});

test("what the identity key signed verifies for the service key", () => {
  expect(verifyDelegation(good, service.publicKey)).toEqual(good.delegation);
});

test("the signature covers the domain, so that it cannot stand for another document", () => {
  const { delegation } = good;
  const keys = ["identity_key", "node_id", "not_after", "not_before", "spki"] as const;
  const canonical = `{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(delegation[key])}`).join(",")}}`;
  const signature = sign(null, Buffer.from(`asfp-v1/delegation\n${canonical}`), identity.privateKey);
  expect(good.sig).toBe(signature.toString("base64url"));
  const undomained = { delegation, sig: sign(null, Buffer.from(canonical), identity.privateKey).toString("base64url") };
  expect(() => verifyDelegation(undomained, service.publicKey)).toThrow("signature");
});

const notAKey = {
  identity_key: Buffer.from("no key").toString("base64url"),
  node_id: createHash("sha256").update("no key").digest("hex"),
};
const stranger = generateKeyPairSync("ed25519");

test.each([
  ["another service key", good, stranger.publicKey],
  ["a longer life than signed", { ...good, delegation: { ...good.delegation, not_after: 9 } }, service.publicKey],
  ["another node id", { ...good, delegation: { ...good.delegation, node_id: "0".repeat(64) } }, service.publicKey],
  ["bytes that are no key", { ...good, delegation: { ...good.delegation, ...notAKey } }, service.publicKey],
  ["no shape", { delegation: {} }, service.publicKey],
  [
    "somebody else's identity key",
    { ...good, delegation: { ...good.delegation, identity_key: spki(stranger.publicKey) } },
    service.publicKey,
  ],
])("refuses %s", (_name, value, key) => {
  expect(() => verifyDelegation(value, key)).toThrow(expect.objectContaining({ code: "BAD_DELEGATION" }) as Error);
});

function spki(key: ReturnType<typeof createPublicKey>): string {
  return key.export({ type: "spki", format: "der" }).toString("base64url");
}
