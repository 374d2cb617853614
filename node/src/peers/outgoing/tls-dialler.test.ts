import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, connect as realConnect, type TLSSocket, type TlsOptions } from "node:tls";
import { afterEach, expect, test, vi } from "vitest";
import { waitUntil } from "../../../../test/testkit/wait-until.ts";
import { selfSigned } from "../../identity/certificate.ts";
import { spkiDigest } from "../spki.ts";
import type { AddressRule } from "./address-filter.ts";
import { Channel } from "./channel.ts";
import { dial, type Lookup, securedBy } from "./tls-dialler.ts";

/** Put beside the options of every connection, as an agent does that keeps sessions. */
const remembered = vi.hoisted((): { session?: Buffer } => ({}));
vi.mock(import("node:tls"), async (original) => {
  const tls = await original();
  const connect = (options: object) => tls.connect({ ...options, ...remembered });
  return { ...tls, connect: connect as typeof tls.connect };
});

const AUTHORED: AddressRule = { kind: "authored" };
const ENOUGH_MS = 20_000;
const stops: (() => unknown)[] = [];
afterEach(async () => {
  delete remembered.session;
  for (const stop of stops.splice(0).reverse()) await stop();
});

interface Listening {
  readonly port: number;
  readonly spki: string;
  /** Connections that came, whatever became of them. */
  readonly seen: () => number;
  /** Ends its connections. */
  readonly drop: () => void;
  readonly stop: () => Promise<void>;
}

async function newCertificate() {
  const day = 24 * 3_600_000;
  return selfSigned({
    ...{ commonName: "peer", dnsNames: ["localhost"], ipAddresses: [] },
    ...{ notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) },
  });
}

/** Answers every request with the name of the host that the client wants to reach. */
async function serve(host: string, { port = 0, ...options }: TlsOptions & { readonly port?: number } = {}) {
  const { key, certificate } = await newCertificate();
  let seen = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ key, cert: certificate, ...options }, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => {
      const body = String(socket.servername);
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    });
  });
  server.on("connection", (socket: Socket) => {
    seen += 1;
    sockets.add(socket);
  });
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  server.listen(port, host);
  await once(server, "listening");
  const stop = async () => {
    if (!server.listening) return;
    drop();
    server.close();
    await once(server, "close");
  };
  stops.push(stop);
  const spki = spkiDigest(new X509Certificate(certificate));
  return { port: (server.address() as AddressInfo).port, spki, seen: () => seen, drop, stop } satisfies Listening;
}

async function dialled(endpoint: string, rule = AUTHORED, lookup?: Lookup): Promise<TLSSocket> {
  const socket = await dial({ endpoint, rule, ...(lookup === undefined ? {} : { lookup }) });
  stops.push(() => socket.destroy());
  return socket;
}

/** Answers one list after the other, the last one for ever. */
function flipping(...answers: readonly (readonly string[])[]) {
  let at = 0;
  return vi.fn(async () => {
    const found = answers[Math.min(at, answers.length - 1)] ?? [];
    at += 1;
    return found.map((address) => ({ address }));
  });
}

test("the address that was checked is the one that is connected, however often the name is looked up after it", async () => {
  const good = await serve("127.0.0.1");
  const forbidden = await serve("127.0.0.2", { port: good.port });
  const rule: AddressRule = { kind: "learnt", allowed: ["127.0.0.1/32"] };
  const lookup = flipping(["127.0.0.1"], ["127.0.0.2"]);
  // By the system this name is an address that may not be dialled.
  const endpoint = `https://localhost.localdomain:${good.port}/`;
  const socket = await dialled(endpoint, rule, lookup);
  expect([socket.remoteAddress, securedBy(socket).spki, lookup.mock.calls.length]).toEqual(["127.0.0.1", good.spki, 1]);
  await expect(dialled(endpoint, rule, lookup)).rejects.toMatchObject({ code: "ADDRESS_FORBIDDEN" });
  await expect(dialled(endpoint, rule, flipping(["127.0.0.1", "127.0.0.2"]))).rejects.toMatchObject({
    code: "ADDRESS_FORBIDDEN",
  });
  expect([good.seen(), forbidden.seen()]).toEqual([1, 0]);
});

test("every further connection to an endpoint is looked up and checked as the first", async () => {
  const good = await serve("127.0.0.1");
  const forbidden = await serve("127.0.0.2", { port: good.port });
  const lookup = flipping(["127.0.0.1"], ["127.0.0.1"], ["127.0.0.2"]);
  const rule: AddressRule = { kind: "learnt", allowed: ["127.0.0.1/32"] };
  const channel = new Channel({ endpoint: `https://peer.example:${good.port}/api`, rule, lookup });
  stops.push(() => channel.destroy());
  const get = async () => {
    const answer = await channel.request({ method: "GET", path: "/", headers: {} }, AbortSignal.timeout(ENOUGH_MS));
    return answer.body.text();
  };
  for (const seen of [1, 2]) {
    expect(await get()).toBe("peer.example");
    expect(good.seen()).toBe(seen);
    good.drop();
    await waitUntil("the connection to end", () => channel.onlyConnection === undefined, { deadlineMs: ENOUGH_MS });
  }
  await expect(get()).rejects.toMatchObject({ code: "ADDRESS_FORBIDDEN" });
  expect([good.seen(), forbidden.seen()]).toEqual([2, 0]);
});

test("the next address of a name is tried when one does not answer; a name without any is unreachable", async () => {
  const good = await serve("127.0.0.1");
  const endpoint = `https://peer.example.:${good.port}/`;
  const socket = await dialled(endpoint, AUTHORED, flipping(["127.0.0.2", "127.0.0.1"]));
  expect([socket.remoteAddress, (socket as TLSSocket & { servername: string }).servername]).toEqual([
    "127.0.0.1",
    "peer.example",
  ]);
  await expect(dialled(endpoint, AUTHORED, flipping([]))).rejects.toMatchObject({ code: "UNREACHABLE" });
});

test("a certificate that Node shows only once is known as often as it is asked for", async () => {
  const server = await serve("127.0.0.1");
  const socket = await dialled(`https://127.0.0.1:${server.port}/`);
  // The trap itself: without it the rest of the test says nothing.
  expect(socket.getPeerX509Certificate()).toBeUndefined();
  expect([securedBy(socket).spki, securedBy(socket).spki]).toEqual([server.spki, server.spki]);
});

test("a channel checks the key of a connection, and still knows it after the first answer", async () => {
  const server = await serve("127.0.0.1");
  const channel = new Channel({ endpoint: `https://127.0.0.1:${server.port}`, rule: AUTHORED });
  stops.push(() => channel.destroy());
  const offered: string[] = [];
  channel.accept((spki) => {
    offered.push(spki);
    return undefined;
  });
  const answer = await channel.request({ method: "GET", path: "/", headers: {} }, AbortSignal.timeout(ENOUGH_MS));
  const known = channel.onlyConnection?.spki;
  await answer.body.dump();
  expect([offered, known]).toEqual([[server.spki], server.spki]);
});

/** A session of TLS 1.3, as a server gives it to whoever was connected. */
async function sessionOf(port: number): Promise<Buffer> {
  const socket = realConnect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  stops.push(() => socket.destroy());
  const [session] = (await once(socket, "session", { signal: AbortSignal.timeout(ENOUGH_MS) })) as [Buffer];
  return session;
}

test("no session is resumed: whoever took over the tickets is seen with the key that it has", async () => {
  const ticketKeys = Buffer.alloc(48, 7);
  const first = await serve("127.0.0.1", { ticketKeys });
  const endpoint = `https://127.0.0.1:${first.port}/`;
  const before = await dialled(endpoint);
  await once(before, "session", { signal: AbortSignal.timeout(ENOUGH_MS) });
  expect(securedBy(before).spki).toBe(first.spki);
  await first.stop();
  const second = await serve("127.0.0.1", { ticketKeys, port: first.port });
  const after = await dialled(endpoint);
  expect([after.isSessionReused(), securedBy(after).spki]).toEqual([false, second.spki]);
  expect(second.spki).not.toBe(first.spki);
});

test("a connection that is resumed nevertheless is ended, because it shows no certificate", async () => {
  const ticketKeys = Buffer.alloc(48, 9);
  const first = await serve("127.0.0.1", { ticketKeys });
  const session = await sessionOf(first.port);
  await first.stop();
  const second = await serve("127.0.0.1", { ticketKeys, port: first.port });
  remembered.session = session;
  await expect(dialled(`https://127.0.0.1:${second.port}/`)).rejects.toMatchObject({
    code: "TLS_FAILED",
    message: expect.stringContaining("resumed") as string,
  });
});
