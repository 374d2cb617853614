import { createPublicKey, verify, X509Certificate } from "node:crypto";
import { type Delegation, DOMAINS, KEY_FILES } from "@archivestream/node/contract";
import canonicalize from "canonicalize";
import { expect, test } from "vitest";
import { isDue } from "./certificates.ts";
import {
  decode,
  encode,
  generateIdentity,
  generateRecovery,
  IDENTITY_FILES,
  readIdentity,
  recoveryPublic,
} from "./identity-key.ts";
import { adminTlsRenewal, makeAdminClient, makeAdminTls, readAuthority, renewAuthority } from "./operator-ca.ts";
import { inspectServiceKeys, makeServiceKeys } from "./service-keys.ts";

const NOW = new Date("2026-11-24T00:00:00Z");
const DAY_MS = 24 * 3_600_000;

const newIdentity = () => generateIdentity(recoveryPublic("r", generateRecovery()));

test("an identity reads back with the same id, and names a recovery key whose private half it does not hold", () => {
  const recovery = generateRecovery();
  const data = generateIdentity(recoveryPublic("r", recovery));
  const { nodeID } = readIdentity("s", data);
  expect(nodeID).toMatch(/^[0-9a-f]{64}$/);
  expect(readIdentity("s", data).nodeID).toBe(nodeID);
  expect(data[IDENTITY_FILES.recoveryPublic]).toBe(recovery[IDENTITY_FILES.recoveryPublic]);
  expect(data).not.toHaveProperty([IDENTITY_FILES.recoveryKey]);
  const pair = createPublicKey(decode(recovery, IDENTITY_FILES.recoveryKey));
  expect(pair.export({ type: "spki", format: "pem" })).toBe(decode(data, IDENTITY_FILES.recoveryPublic));
});

test.each([
  ["nothing", {}],
  ["garbage", { [IDENTITY_FILES.identityKey]: encode("garbage") }],
])("%s in the Secret is not an identity", (_name, data) => {
  expect(() => readIdentity("s", data)).toThrow(expect.objectContaining({ code: "BAD_KEY" }));
});

test.each([
  ["nothing", {}],
  ["garbage", { [IDENTITY_FILES.recoveryPublic]: encode("garbage") }],
])("%s in the Secret is not a recovery key", (_name, data) => {
  expect(() => recoveryPublic("r", data)).toThrow(expect.objectContaining({ code: "BAD_KEY" }));
});

test("the delegation verifies with the identity key and is for 90 days", async () => {
  const identity = readIdentity("s", newIdentity());
  const data = await makeServiceKeys(identity, ["alpha"], NOW);
  const { delegation, sig } = JSON.parse(decode(data, KEY_FILES.delegation)) as Delegation;
  const bytes = Buffer.from(DOMAINS.delegation + canonicalize(delegation));
  expect(verify(null, bytes, createPublicKey(identity.key), Buffer.from(sig, "base64url"))).toBe(true);
  expect(delegation.not_after).toBe(NOW.getTime() + 90 * DAY_MS);
  expect(new X509Certificate(decode(data, KEY_FILES.tlsCert)).subjectAltName).toContain("DNS:alpha");
});

test("service keys are due at two thirds and unusable for another identity", async () => {
  const identity = readIdentity("s", newIdentity());
  const data = await makeServiceKeys(identity, ["alpha"], NOW);
  const state = inspectServiceKeys("s", data, identity);
  if (state === "unusable") throw new Error("fresh keys are unusable");
  expect(Math.round((state.renewAfter.getTime() - NOW.getTime()) / DAY_MS)).toBe(60);
  expect(inspectServiceKeys("s", data, readIdentity("s", newIdentity()))).toBe("unusable");
});

test.each(
  Object.values({ a: KEY_FILES.serviceKey, b: KEY_FILES.delegation, c: KEY_FILES.tlsKey, d: KEY_FILES.tlsCert }),
)("a keys Secret without %s is unusable", async (file) => {
  const identity = readIdentity("s", newIdentity());
  const { [file]: _gone, ...data } = await makeServiceKeys(identity, ["alpha"], NOW);
  expect(inspectServiceKeys("s", data, identity)).toBe("unusable");
});

test("the CA signs servers and clients, each for one use", async () => {
  const authority = readAuthority(await renewAuthority(undefined, NOW));
  const ca = new X509Certificate(authority.certificate);
  const server = new X509Certificate(
    decode(await makeAdminTls(authority, ["alpha-0.alpha-headless.ns.svc"], NOW), KEY_FILES.tlsCert),
  );
  const client = new X509Certificate((await makeAdminClient(authority, NOW)).certificate);
  expect([server.verify(ca.publicKey), client.verify(ca.publicKey)]).toEqual([true, true]);
  expect(server.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(client.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  expect(client.subject).toBe("CN=archive-operator");
  expect(server.checkHost("alpha-0.alpha-headless.ns.svc")).toBeDefined();
});

test("a rotated CA brings both certificates, and admin certificates follow at once", async () => {
  const old = readAuthority(await renewAuthority(undefined, NOW));
  const adminTls = await makeAdminTls(old, ["alpha-0"], NOW);
  expect(adminTlsRenewal(adminTls, old, NOW)).toBeInstanceOf(Date);
  const next = readAuthority(await renewAuthority(old, new Date(NOW.getTime() + 1_000)));
  expect(next.bundle).toContain(old.certificate);
  expect(next.bundle).toContain(next.certificate);
  expect(adminTlsRenewal(adminTls, next, NOW)).toBe("now");
});

test("what a clock that ran ahead has made is due as soon as the clock is right again", async () => {
  const ahead = new Date(NOW.getTime() + 70 * 24 * 3_600_000);
  const identity = readIdentity("s", newIdentity());
  const keys = inspectServiceKeys("s", await makeServiceKeys(identity, ["alpha"], ahead), identity);
  const authority = readAuthority(await renewAuthority(undefined, ahead));
  const client = await makeAdminClient(authority, ahead);
  const dated = [keys === "unusable" ? undefined : keys, authority, client].filter((one) => one !== undefined);
  expect(dated.map((one) => isDue(one, ahead))).toEqual([false, false, false]);
  expect(dated.map((one) => isDue(one, NOW))).toEqual([true, true, true]);
  const adminTls = await makeAdminTls(authority, ["alpha-0"], ahead);
  expect(adminTlsRenewal(adminTls, authority, ahead)).toBeInstanceOf(Date);
  expect(adminTlsRenewal(adminTls, authority, NOW)).toBe("now");
});
