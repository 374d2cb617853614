/**
 * A peer with keys of its own that can misbehave: it calls real nodes with whatever a test makes of a handshake, and
 * answers them as a test wants. What it does not change is done as the protocol says.
 */
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { Client } from "undici";
import {
  CHANNEL,
  type FirstAnswer,
  type FirstRound,
  HANDSHAKE_PATH,
  type Meeting,
  proveCall,
  transcriptOfCaller,
} from "../../node/src/asfp/handshake.ts";
import type { PeerRecord, SignedPeerRecord } from "../../node/src/asfp/peer-record.ts";
import { signPeerRecord } from "../../node/src/asfp/peer-record.ts";
import { signDelegation } from "../../node/src/contract/delegation.ts";
import { FEDERATION_PATH } from "../../node/src/contract/federation-url.ts";
import { selfSigned } from "../../node/src/identity/certificate.ts";
import { firstTrustDocument } from "../../node/src/identity/first-documents.ts";
import type { NodeKeys } from "../../node/src/identity/key-files.ts";
import { HandshakeError } from "../../node/src/peers/errors.ts";
import { HandshakeService } from "../../node/src/peers/handshake-service.ts";
import { OwnRecord } from "../../node/src/peers/own-record.ts";
import { PeerTable } from "../../node/src/peers/peer-table.ts";
import { PeerSessions } from "../../node/src/peers/sessions.ts";
import { Trust } from "../../node/src/peers/trust.ts";
import { tempDir } from "./temp-dir.ts";

const DAY_MS = 24 * 3_600_000;
const CALL_MS = 30_000;

export interface EngineeredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown>;
}

/** A connection of the peer's to a node; requests go one after the other over the same socket. */
export interface EngineeredConnection extends AsyncDisposable {
  readonly channel: Uint8Array;
  readonly authority: string;
  readonly socket: TLSSocket;
  /** A string is sent as it is: it may be JSON that no value has. */
  post(path: string, body: unknown): Promise<EngineeredAnswer>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<EngineeredAnswer>;
}

export interface SecondRoundChange {
  /** Signed instead of the connection's own. */
  readonly meeting?: Partial<Meeting>;
  /** Sent, and signed. */
  readonly challenge?: string;
  /** Sent instead of what was signed. */
  readonly members?: Readonly<Record<string, unknown>>;
}

export interface EngineeredPeer extends AsyncDisposable {
  readonly nodeId: string;
  readonly keys: NodeKeys;
  /** Base URL while it listens. */
  readonly endpoint: string;
  /** What it answered to, in order. */
  readonly requests: readonly string[];
  record(change?: Partial<PeerRecord>): SignedPeerRecord;
  firstRound(to: string | null, change?: Partial<FirstRound>): FirstRound;
  secondRound(
    first: FirstRound,
    answer: FirstAnswer,
    at: Pick<EngineeredConnection, "channel" | "authority">,
    change?: SecondRoundChange,
  ): object;
  /** @param nodeUrl - of the node, without base path */
  connect(nodeUrl: string): Promise<EngineeredConnection>;
  /** Both rounds over one new connection, which stays open. */
  handshake(
    nodeUrl: string,
    to: string | null,
  ): Promise<EngineeredAnswer & { readonly connection: EngineeredConnection }>;
}

export interface EngineeredOptions {
  /** Its clock is that far ahead (or behind, when negative), milliseconds. */
  readonly clockAheadMs?: number;
  /** Accepts connections and requests, and never answers. */
  readonly isSilent?: boolean;
  /** Answers everything but handshakes, of those who showed a session; 404 without. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse, caller: string) => void;
}

export async function engineeredPeer(options: EngineeredOptions = {}): Promise<EngineeredPeer> {
  const nowMs = () => Date.now() + (options.clockAheadMs ?? 0);
  const keys = await newKeys(nowMs());
  const folder = await tempDir("engineered-peer");
  let endpoint = `https://127.0.0.1:1${FEDERATION_PATH}`;
  const own = new OwnRecord({
    ...{ file: join(folder.path, "record.json"), keys: () => keys, endpoint: () => endpoint, nowMs },
    ...{ capabilities: ["store", "search", "index"], program: "engineered" },
  });
  const requests: string[] = [];
  const server = answering(keys, own, options, nowMs, requests);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}${FEDERATION_PATH}`;
  const base = (await own.current()).record;
  const record = (change: Partial<PeerRecord> = {}) => signPeerRecord({ ...base, ...change }, keys.serviceKey);
  const firstRound = (to: string | null, change: Partial<FirstRound> = {}): FirstRound => ({
    ...{ node_id: keys.nodeId, version: "1.0", endpoint, versions: ["1.0"], features: ["token"] },
    ...{ nonce: randomBytes(24).toString("base64url"), to, record: record() },
    ...change,
  });
  const secondRound: EngineeredPeer["secondRound"] = (first, answer, at, change = {}) =>
    secondRoundOf(keys.serviceKey, first, answer, at, change);
  const opened: EngineeredConnection[] = [];
  const connectTo = async (nodeUrl: string) => {
    const connection = await connectionTo(nodeUrl);
    opened.push(connection);
    return connection;
  };
  return {
    ...{ nodeId: keys.nodeId, keys, endpoint, requests, record, firstRound, secondRound, connect: connectTo },
    handshake: async (nodeUrl, to) => {
      const connection = await connectTo(nodeUrl);
      const first = firstRound(to);
      const answer = await connection.post(HANDSHAKE_PATH, first);
      if (answer.status !== 200) return { ...answer, connection };
      const second = secondRound(first, answer.body as unknown as FirstAnswer, connection);
      return { ...(await connection.post(HANDSHAKE_PATH, second)), connection };
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.map((connection) => connection[Symbol.asyncDispose]()));
      server.closeAllConnections();
      server.close();
      await folder.remove();
    },
  };
}

async function newKeys(nowMs: number): Promise<NodeKeys> {
  const service = generateKeyPairSync("ed25519");
  const period = { notBefore: nowMs - 1_000, notAfter: nowMs + 90 * DAY_MS };
  const delegation = signDelegation(generateKeyPairSync("ed25519").privateKey, service.publicKey, period);
  const { key, certificate } = await selfSigned({
    ...{ commonName: delegation.delegation.node_id, dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] },
    ...{ notBefore: new Date(period.notBefore), notAfter: new Date(period.notAfter) },
  });
  const tls = { key, cert: certificate, notAfter: new Date(period.notAfter), serial: "00" };
  return { nodeId: delegation.delegation.node_id, serviceKey: service.privateKey, delegation, tls };
}

function secondRoundOf(
  serviceKey: KeyObject,
  first: FirstRound,
  answer: FirstAnswer,
  at: Pick<EngineeredConnection, "channel" | "authority">,
  change: SecondRoundChange,
): object {
  const meeting: Meeting = {
    ...{ from: first.node_id, to: answer.node_id, authority: at.authority, channel: at.channel },
    ...{ offered: first, answered: answer },
    ...change.meeting,
  };
  const challenge = change.challenge ?? answer.challenge;
  const proof = proveCall(transcriptOfCaller(meeting, challenge, first.record), serviceKey);
  return { ...first, challenge, proof, ...change.members };
}

async function connectionTo(nodeUrl: string): Promise<EngineeredConnection> {
  const { origin, host, hostname, port } = new URL(nodeUrl);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, minVersion: "TLSv1.3" });
  await once(socket, "secureConnect");
  const client = new Client(origin, {
    // Later, as a connection would be there: the client is not ready for one at once.
    connect: (_options, callback) => void setImmediate(() => callback(null, socket)),
    pipelining: 1,
    headersTimeout: CALL_MS,
  });
  const send = async (method: "GET" | "POST", path: string, headers: Record<string, string>, body?: string) => {
    const request = { method, path: `${FEDERATION_PATH}${path}`, headers, ...(body === undefined ? {} : { body }) };
    const answer = await client.request(request);
    const text = await answer.body.text();
    const parsed = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: answer.statusCode, headers: answer.headers, body: parsed };
  };
  return {
    channel: socket.exportKeyingMaterial(CHANNEL.bytes, CHANNEL.label, Buffer.alloc(0)),
    ...{ authority: host, socket },
    post: (path, body) => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return send("POST", path, { "content-type": "application/json" }, text);
    },
    get: (path, headers = {}) => send("GET", path, { ...headers }),
    [Symbol.asyncDispose]: () => client.destroy(),
  };
}

/** Lets everyone in. */
function answering(
  keys: NodeKeys,
  own: OwnRecord,
  options: EngineeredOptions,
  nowMs: () => number,
  requests: string[],
) {
  const document = firstTrustDocument("engineered", new Date(), "Public");
  const trust = new Trust(
    () => document,
    () => keys.nodeId,
    nowMs,
  );
  const sessions = new PeerSessions(() => keys.serviceKey, trust, nowMs);
  const service = new HandshakeService({
    ...{ nodeId: () => keys.nodeId, serviceKey: () => keys.serviceKey, own, trust, sessions, nowMs },
    table: new PeerTable(() => false),
    ...{ isListed: () => true, admitted: () => {}, ended: () => {} },
  });
  return createServer({ key: keys.tls.key, cert: keys.tls.cert, minVersion: "TLSv1.3" }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (options.isSilent === true) return;
    if (request.url?.endsWith(HANDSHAKE_PATH) === true) {
      answerHandshake(service, request, response).catch((error: unknown) => response.destroy(error as Error));
      return;
    }
    const token = /^ASFP (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    const caller = token === undefined ? undefined : sessions.peerOf(token, request.socket);
    if (caller === undefined) reply(response, 401, {});
    else if (options.answer === undefined) reply(response, 404, {});
    else options.answer(request, response, caller.nodeId);
  });
}

async function answerHandshake(service: HandshakeService, request: IncomingMessage, response: ServerResponse) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const channel = (request.socket as TLSSocket).exportKeyingMaterial(CHANNEL.bytes, CHANNEL.label, Buffer.alloc(0));
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    const call = { body, authority: request.headers.host ?? "", channel, address: "127.0.0.1" };
    const answer = await service.answer(call);
    reply(response, answer.status, answer.body);
  } catch (error) {
    if (!(error instanceof HandshakeError)) throw error;
    reply(response, 403, { detail: error.message });
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
