/** What the operator signs, as OpenSSL reads it: shapes, chains, and handshakes that must and must not succeed. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type ConnectionOptions, connect, createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { expect, test } from "vitest";
import {
  certificatePeriod,
  issueClient,
  issueServer,
  type KeyAndCertificate,
  makeAuthority,
  makeNodeCertificate,
  periodFrom,
} from "./certificates.ts";

const DAY_MS = 24 * 3_600_000;
const PERIOD = periodFrom(new Date(), DAY_MS);
const NODE_ID = "0123456789abcdef".repeat(4);
const authority = await makeAuthority("ca", PERIOD);
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

function parse({ key, certificate }: KeyAndCertificate): X509Certificate {
  const parsed = new X509Certificate(certificate);
  expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
  return parsed;
}

test("the authority is a CA that signed itself", async () => {
  const ca = parse(authority);
  expect(ca.ca).toBe(true);
  expect(ca.subject).toBe("CN=ca");
  expect(ca.verify(ca.publicKey)).toBe(true);
  expect(ca.checkIssued(ca)).toBe(true);
});

test("what the authority issues chains to it by name and by key, and is for one use", async () => {
  const ca = parse(authority);
  const server = parse(await issueServer(authority, ["alpha-0.alpha-headless.ns.svc", "alpha-1"], PERIOD));
  const client = parse(await issueClient(authority, "archive-operator", PERIOD));
  for (const issued of [server, client]) {
    expect(issued.ca).toBe(false);
    expect(issued.checkIssued(ca)).toBe(true);
    expect(issued.verify(ca.publicKey)).toBe(true);
    expect(issued.verify(issued.publicKey)).toBe(false);
  }
  expect(server.keyUsage).toEqual([SERVER_AUTH]);
  expect(client.keyUsage).toEqual([CLIENT_AUTH]);
  expect(server.checkHost("alpha-1")).toBe("alpha-1");
  expect(server.checkHost("alpha-2")).toBeUndefined();
  expect(client.subject).toBe("CN=archive-operator");
});

test("a node's certificate stands for itself, for its names and both uses", async () => {
  const node = parse(await makeNodeCertificate(NODE_ID, ["alpha", "alpha.ns.svc", "localhost"], PERIOD));
  expect(node.subject).toBe(`CN=${NODE_ID}`);
  expect(node.verify(node.publicKey)).toBe(true);
  expect(node.subjectAltName).toBe("DNS:alpha, DNS:alpha.ns.svc, DNS:localhost");
  expect(node.keyUsage).toEqual([SERVER_AUTH, CLIENT_AUTH]);
});

test("many and long names make a certificate that is read whole", async () => {
  const names = Array.from({ length: 32 }, (_, ordinal) => `${"n".repeat(40)}-${ordinal}.${"s".repeat(60)}.svc`);
  const server = parse(await issueServer(authority, names, PERIOD));
  expect(names.filter((name) => server.checkHost(name) === undefined)).toEqual([]);
  expect(server.subject.length).toBeLessThanOrEqual("CN=".length + 64);
});

test("serial numbers are positive and differ", async () => {
  const serials = (await Promise.all(Array.from({ length: 50 }, () => issueClient(authority, "c", PERIOD)))).map(
    ({ certificate }) => certificatePeriod(certificate),
  );
  expect(new Set(serials.map(({ serial }) => serial)).size).toBe(50);
  for (const { serial } of serials) expect(serial).toMatch(/^40[0-9a-f]{30}$/);
});

test.each(["1999-12-31T23:59:59Z", "2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z", "2100-02-28T12:00:00Z"])(
  "a certificate that ends at %s says so",
  async (end) => {
    const period = { notBefore: new Date("1990-01-01T00:00:00Z"), notAfter: new Date(end) };
    expect(certificatePeriod((await makeAuthority("ca", period)).certificate)).toMatchObject(period);
  },
);

/** One handshake of TLS 1.3 in which both sides show a certificate. @returns what the server made of the client */
async function shakeHands(server: TlsOptions, client: ConnectionOptions) {
  const listening = createServer({ ...server, minVersion: "TLSv1.3", requestCert: true, rejectUnauthorized: false });
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  listening.on("tlsClientError", () => undefined); // the client says why it went
  const { port } = listening.address() as AddressInfo;
  const accepted = once(listening, "secureConnection");
  const socket = connect({ ...client, host: "127.0.0.1", port });
  try {
    await once(socket, "secureConnect");
    const [peer] = (await accepted) as [TLSSocket];
    return { authorized: peer.authorized, name: peer.getPeerCertificate().subject?.CN };
  } finally {
    socket.destroy();
    listening.close();
  }
}

const pem = ({ key, certificate }: KeyAndCertificate) => ({ key, cert: certificate });
const servername = "alpha-0.alpha-headless.ns.svc";
const server = { ...pem(await issueServer(authority, [servername], PERIOD)), ca: authority.certificate };

test("operator and pod believe each other over TLS", async () => {
  const client = {
    ...pem(await issueClient(authority, "archive-operator", PERIOD)),
    ca: authority.certificate,
    servername,
  };
  expect(await shakeHands(server, client)).toEqual({ authorized: true, name: "archive-operator" });
});

test("a client of another authority is not believed, though its CA has the same name", async () => {
  const stranger = await issueClient(await makeAuthority("ca", PERIOD), "archive-operator", PERIOD);
  const seen = await shakeHands(server, { ...pem(stranger), ca: authority.certificate, servername });
  expect(seen.authorized).toBe(false);
});

test("a server's certificate does not serve as a client's", async () => {
  const seen = await shakeHands(server, {
    ...pem(await issueServer(authority, ["x"], PERIOD)),
    ca: server.ca,
    servername,
  });
  expect(seen.authorized).toBe(false);
});

test("a certificate for every pod of a node is for no pod of another, and nothing deeper", async () => {
  const any = { ...pem(await issueServer(authority, ["*.alpha-headless.ns.svc"], PERIOD)), ca: authority.certificate };
  const client = { ...pem(await issueClient(authority, "archive-operator", PERIOD)), ca: authority.certificate };
  expect(await shakeHands(any, { ...client, servername })).toMatchObject({ authorized: true });
  for (const name of ["beta-0.beta-headless.ns.svc", "a.alpha-0.alpha-headless.ns.svc", "alpha-headless.ns.svc"])
    await expect(shakeHands(any, { ...client, servername: name })).rejects.toMatchObject({
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
});

test("another host name, or another authority, ends the handshake", async () => {
  const client = pem(await issueClient(authority, "archive-operator", PERIOD));
  const other = { ...client, ca: authority.certificate, servername: "alpha-1.alpha-headless.ns.svc" };
  await expect(shakeHands(server, other)).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  const ca = (await makeAuthority("ca", PERIOD)).certificate;
  await expect(shakeHands(server, { ...client, ca, servername })).rejects.toThrow();
});

test("a client that takes the node's certificate as its root accepts the node", async () => {
  const node = await makeNodeCertificate(NODE_ID, ["alpha"], PERIOD);
  const seen = await shakeHands(pem(node), { ca: node.certificate, servername: "alpha" });
  expect(seen.authorized).toBe(false);
});
