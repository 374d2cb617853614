import { Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { HOSTILE_ANSWERS, HOSTILE_ENDPOINTS } from "../../../../test/testkit/hostile-endpoints.ts";
import { PeerError } from "../errors.ts";
import { type AddressRule, forbidden } from "./address-filter.ts";
import { dial, type Lookup } from "./tls-dialler.ts";

const LEARNT: AddressRule = { kind: "learnt", allowed: [] };
const PUBLIC = "8.8.8.8";
/** Counts attempts, whoever makes them. */
const connects = vi.spyOn(Socket.prototype, "connect");
afterEach(() => connects.mockClear());

const answering =
  (...addresses: readonly string[]): Lookup =>
  async () =>
    addresses.map((address) => ({ address }));

async function refusal(endpoint: string, lookup: Lookup): Promise<string> {
  const error: unknown = await dial({ endpoint, rule: LEARNT, lookup }).catch((caught: unknown) => caught);
  expect(error, endpoint).toBeInstanceOf(PeerError);
  const { code, message } = error as PeerError;
  expect([endpoint, code, message]).toEqual([endpoint, "ADDRESS_FORBIDDEN", expect.any(String)]);
  return message;
}

test(`none of ${HOSTILE_ENDPOINTS.length} hostile endpoints is dialled`, async () => {
  expect(HOSTILE_ENDPOINTS.length).toBeGreaterThan(300);
  expect(new Set(HOSTILE_ENDPOINTS.map(({ endpoint }) => endpoint)).size).toBe(HOSTILE_ENDPOINTS.length);
  for (const { endpoint, why } of HOSTILE_ENDPOINTS) {
    expect(await refusal(endpoint, answering(PUBLIC)), endpoint).toContain(why);
  }
  expect(connects).not.toHaveBeenCalled();
});

test(`a name is not dialled that has one of ${HOSTILE_ANSWERS.length} addresses, wherever it stands among public ones`, async () => {
  for (const { address, why } of HOSTILE_ANSWERS) {
    for (const addresses of [
      [address],
      [PUBLIC, address],
      [address, PUBLIC],
      [PUBLIC, PUBLIC, PUBLIC, PUBLIC, PUBLIC, address],
    ]) {
      expect(await refusal("https://peer.example/", answering(...addresses)), address).toContain(why);
    }
  }
  expect(connects).not.toHaveBeenCalled();
});

test.each([
  "localhost",
  "localhost.",
  "LOCALHOST",
  "ip6-localhost",
  "kubernetes.default.svc",
  "metadata.google.internal",
])("%s is judged by what it is looked up to", async (name) => {
  const lookup = vi.fn(answering("127.0.0.1", "::1"));
  expect(await refusal(`https://${name}:8443/`, lookup)).toContain("(loopback)");
  expect(lookup.mock.calls).toEqual([[name.toLowerCase()]]);
});

test("the system's look-up of localhost is judged too", async () => {
  const dialled = dial({ endpoint: "https://localhost:8443/", rule: LEARNT });
  await expect(dialled).rejects.toMatchObject({ code: "ADDRESS_FORBIDDEN" });
  expect(connects).not.toHaveBeenCalled();
});

test("public addresses pass, at the ports of federations only", () => {
  const addresses = [PUBLIC, "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "192.167.1.1"];
  const further = [
    "169.253.1.1",
    "126.255.255.255",
    "128.0.0.1",
    "11.0.0.1",
    "223.255.255.255",
    "2606:4700:4700::1111",
  ];
  for (const address of [...addresses, ...further, "2a00:1450::1", "::ffff:8.8.8.8"]) {
    expect(forbidden(address, 443, LEARNT)).toBeUndefined();
    expect(forbidden(address, 8443, LEARNT)).toBeUndefined();
    expect(forbidden(address, 9443, LEARNT)).toBe("port 9443 is none of 443, 8443");
  }
});

test("allowed networks pass at every port, and nothing beside them", () => {
  const rule: AddressRule = { kind: "learnt", allowed: ["10.1.0.0/16", "127.0.0.1/32", "fd00:1::/32", "fe80::/10"] };
  const passing = ["10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "127.0.0.1", "fd00:1:2::3", "fe80::1"];
  for (const address of passing) expect(forbidden(address, 9443, rule), address).toBeUndefined();
  const beside = [
    "10.0.255.255",
    "10.2.0.0",
    "127.0.0.2",
    "::1",
    "fd00:2::1",
    "fc00::1",
    "::a01:203",
    "64:ff9b::a01:203",
  ];
  const embedded = [
    "2002:a01:203::1",
    "::ffff:0:a01:203",
    "fe80::1%eth0",
    "169.254.169.254",
    "0.0.0.0",
    "10.1.0.1.",
    "",
  ];
  for (const address of [...beside, ...embedded]) expect(forbidden(address, 8443, rule), address).toBeTypeOf("string");
});

test("where a person named the endpoint every address passes, but nothing that would be looked up again", () => {
  const rule: AddressRule = { kind: "authored" };
  for (const address of ["127.0.0.1", "10.0.0.1", "::1", "fe80::1%eth0"]) {
    expect(forbidden(address, 22, rule)).toBeUndefined();
  }
  for (const address of ["localhost", "127.1", "", "[::1]"]) expect(forbidden(address, 443, rule)).toContain("no IP");
});
