import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { type FirstAnswer, HANDSHAKE_PATH } from "../../node/src/asfp/handshake.ts";
import type { TrustDocument } from "../../node/src/contract/documents.ts";
import { documentDigest } from "../../node/src/contract/sequenced-documents.ts";
import { writeDurably } from "../../node/src/identity/durable-file.ts";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import {
  type EngineeredConnection,
  type EngineeredPeer,
  engineeredPeer,
  type SecondRoundChange,
} from "../testkit/engineered-peer.ts";
import { runNodeCommand } from "../testkit/node-command.ts";
import { NodeArchive, sampleFile } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const DAY_MS = 24 * 3_600_000;
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function node(mode: "Public" | "Private"): Promise<ArchiveNodeProcess> {
  const started = await startArchiveNode({ args: ["--trust", mode], metrics: true });
  open.push(started);
  return started;
}

async function peer(...options: Parameters<typeof engineeredPeer>): Promise<EngineeredPeer> {
  const made = await engineeredPeer(...options);
  open.push(made);
  return made;
}

/** Issues the node's trust document anew. */
async function editTrust(of: ArchiveNodeProcess, change: (held: TrustDocument) => TrustDocument): Promise<void> {
  const file = join(of.dataDir, "trust.json");
  const held = JSON.parse(await readFile(file, "utf8")) as TrustDocument;
  const changed = { ...change(held), sequence: held.sequence + 1 };
  await writeDurably(file, JSON.stringify({ ...changed, digest: documentDigest(changed) }));
}
const trusting = (nodeId: string) => (held: TrustDocument) => ({
  ...held,
  entries: [...held.entries, { nodeID: nodeId, pins: [] }],
});
const authorization = (body: Record<string, unknown>) => ({
  authorization: `ASFP ${(body["session"] as { token: string }).token}`,
});

/** A file that is asked for and not read, so that the answer stays in its middle. */
async function slowTransfer(of: ArchiveNodeProcess, hash: string, session: string) {
  const { hostname, port, host } = new URL(of.url);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const path = `/api/v1/federation/blob/${hash}`;
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: ${session}\r\n\r\n`);
  await once(socket, "readable");
  return {
    /** Bytes that still came, until the connection ended. */
    restOfIt: async () => {
      let size = 0;
      socket.on("data", (chunk: Buffer) => {
        size += chunk.length;
      });
      socket.on("error", () => undefined);
      await once(socket, "close");
      return size;
    },
  };
}

describe("a public node", () => {
  test("gives a session to whoever proves its key, and knows its calls by it", async () => {
    const [answerer, caller] = [await node("Public"), await peer()];
    const met = await caller.handshake(answerer.url, answerer.nodeId);
    expect(met).toMatchObject({ status: 200, body: { status: "accepted", trust: "proven" } });
    const answer = await met.connection.get("/collections", authorization(met.body));
    expect(answer).toMatchObject({ status: 200, body: { collections: [{ name: "default" }] } });
    const wrong = await met.connection.get("/collections", { authorization: "ASFP AAAA" });
    expect(wrong.status).toBe(401);
    const metrics = await (await fetch(`${answerer.metricsUrl}/metrics`)).text();
    expect(metrics).toContain('archivestream_handshakes_total{direction="in",result="accepted"} 1');
  });

  test("accepts the three fields of the document, and proves nothing for them", async () => {
    const [answerer, caller] = [await node("Public"), await peer()];
    const connection = await caller.connect(answerer.url);
    const { node_id, version, endpoint } = caller.firstRound(null);
    const answer = await connection.post(HANDSHAKE_PATH, { node_id, version, endpoint });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.body).sort()).toEqual(["challenge", "status"]);
  });

  test("refuses other versions, broken bodies and large ones with a problem that says what to do", async () => {
    const [answerer, caller] = [await node("Public"), await peer()];
    const connection = await caller.connect(answerer.url);
    const first = caller.firstRound(null);
    const old = await connection.post(HANDSHAKE_PATH, { ...first, version: "2.0", versions: ["2.0"] });
    expect(old).toMatchObject({ status: 426, body: { code: "version-unsupported", versions: ["1.0"] } });
    const broken = await connection.post(HANDSHAKE_PATH, { ...first, node_id: "me" });
    expect(broken).toMatchObject({ status: 400, body: { code: "bad-request" } });
    const large = await connection.post(HANDSHAKE_PATH, { ...first, padding: "x".repeat(8_192) });
    expect(large).toMatchObject({ status: 413, body: { code: "payload-too-large" } });
  });

  test("refuses a body whose further members have no canonical form, in either round", async () => {
    const [answerer, caller] = [await node("Public"), await peer()];
    const connection = await caller.connect(answerer.url);
    const first = caller.firstRound(null);
    const { node_id, version, endpoint } = first;
    const met = (await connection.post(HANDSHAKE_PATH, first)).body as unknown as FirstAnswer;
    const second = caller.secondRound(first, met, connection);
    for (const round of [{ node_id, version, endpoint }, first, second]) {
      // A number that is read as infinite, and half a character.
      for (const further of ["1e999", '"\\ud800"']) {
        const body = `${JSON.stringify(round).slice(0, -1)},"further":${further}}`;
        const refused = await connection.post(HANDSHAKE_PATH, body);
        expect(refused, body).toMatchObject({ status: 400, body: { code: "bad-request" } });
      }
    }
  });

  test("is not its own peer, and takes ten handshakes a minute from strangers of one address group", async () => {
    const [answerer, caller] = [await node("Public"), await peer()];
    const connection = await caller.connect(answerer.url);
    const { version, endpoint } = caller.firstRound(null);
    const itself = await connection.post(HANDSHAKE_PATH, { node_id: answerer.nodeId, version, endpoint });
    expect(itself).toMatchObject({ status: 403, body: { code: "not-whitelisted" } });
    const statuses: number[] = [];
    for (let at = 0; at < 12; at += 1) {
      statuses.push((await connection.post(HANDSHAKE_PATH, caller.firstRound(null))).status);
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(2);
  });
});

describe("a private node", () => {
  test("refuses who proves nothing, lists who proves its key, and lets in who is trusted", async () => {
    const [answerer, caller] = [await node("Private"), await peer()];
    const connection = await caller.connect(answerer.url);
    const { node_id, version, endpoint } = caller.firstRound(null);
    const claimed = await connection.post(HANDSHAKE_PATH, { node_id, version, endpoint });
    expect(claimed).toMatchObject({ status: 403, body: { code: "not-whitelisted" } });
    const unlisted = await caller.handshake(answerer.url, answerer.nodeId);
    expect(unlisted).toMatchObject({ status: 202, body: { status: "pending" } });
    await editTrust(answerer, trusting(caller.nodeId));
    await waitUntil(
      "the trust document to be in use",
      async () => (await caller.handshake(answerer.url, answerer.nodeId)).status === 200,
      { deadlineMs: 30_000, everyMs: 500 },
    );
  });

  test("ends the session and cuts the transfer of a peer whose time is over, and of one that it revokes", async () => {
    const [answerer, caller] = [await node("Private"), await peer()];
    await editTrust(answerer, trusting(caller.nodeId));
    const met = await waitUntil(
      "a session",
      async () => {
        const answer = await caller.handshake(answerer.url, answerer.nodeId);
        return answer.status === 200 && answer;
      },
      { deadlineMs: 30_000, everyMs: 500 },
    );
    const session = authorization(met.body);
    const file = sampleFile({ name: "cut", pages: 16, padding: randomBytes(2 * 1024 * 1024) });
    await using archive = new NodeArchive(answerer);
    expect((await archive.upload(file.bytes)).status).toBe(201);
    const until = async (status: number) =>
      waitUntil(
        `the session to be answered with ${status}`,
        async () => (await (await caller.connect(answerer.url)).get("/collections", session)).status === status,
        { deadlineMs: 30_000, everyMs: 200 },
      );
    const sentWhenEndedBy = async (end: (held: TrustDocument) => TrustDocument) => {
      const transfer = await slowTransfer(answerer, file.sha256, session.authorization);
      await editTrust(answerer, end);
      await until(401);
      return transfer.restOfIt();
    };
    // Nothing but time passes when it is over.
    const notAfter = `${new Date(Date.now() + 6_000).toISOString().slice(0, 19)}Z`;
    const timed = ({ nodeID }: { readonly nodeID: string }) => ({ nodeID, pins: [], notAfter });
    const byTime = await sentWhenEndedBy((held) => ({ ...held, entries: held.entries.map(timed) }));
    expect(byTime).toBeLessThan(file.bytes.length);
    await editTrust(answerer, (held) => trusting(caller.nodeId)({ ...held, entries: [] }));
    await until(200);
    const byHand = await sentWhenEndedBy((held) => ({ ...held, entries: [], revoked: [caller.nodeId] }));
    expect(byHand).toBeLessThan(file.bytes.length);
    expect((await caller.handshake(answerer.url, answerer.nodeId)).status).toBe(403);
  });
});

describe.each(["block", "remove"])("peer %s", (command) => {
  test("has ended the peer's sessions and connections when it returns", async () => {
    const [answerer, caller] = [await node("Private"), await peer()];
    const tell = (...args: readonly string[]) => runNodeCommand("peer", ...args, "--data", answerer.dataDir);
    expect((await caller.handshake(answerer.url, answerer.nodeId)).status).toBe(202);
    expect(await tell("approve", caller.nodeId)).toMatchObject({ exitCode: 0, stderr: "" });
    const met = await caller.handshake(answerer.url, answerer.nodeId);
    const session = authorization(met.body);
    expect((await met.connection.get("/collections", session)).status).toBe(200);
    expect(await tell(command, caller.nodeId)).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await (await caller.connect(answerer.url)).get("/collections", session)).status).toBe(401);
    await waitUntil("the connection to end", () => met.connection.socket.destroyed, { deadlineMs: 5_000 });
  });
});

describe("a proof", () => {
  test("holds for a clock that is a day off, and not for one that is three days off", async () => {
    const answerer = await node("Public");
    for (const [clockAheadMs, status] of [
      [DAY_MS, 200],
      [-DAY_MS, 200],
      [3 * DAY_MS, 401],
    ] as const) {
      const caller = await peer({ clockAheadMs });
      expect((await caller.handshake(answerer.url, answerer.nodeId)).status).toBe(status);
    }
  });

  test("that was made for another node, address, connection or first round is refused with a fresh challenge", async () => {
    const [answerer, caller] = [await node("Public"), await peer()];
    const connection = await caller.connect(answerer.url);
    const other = await caller.connect(answerer.url);
    const first = caller.firstRound(null);
    const answer = (await connection.post(HANDSHAKE_PATH, first)).body as unknown as FirstAnswer;
    const attempts: Record<string, readonly [EngineeredConnection, SecondRoundChange]> = {
      "another node": [connection, { meeting: { to: "ab".repeat(32) } }],
      "another address": [connection, { meeting: { authority: "m.example:8443" } }],
      "fewer features": [connection, { meeting: { answered: { versions: ["1.0"], features: [] } } }],
      "another first round": [connection, { members: { endpoint: "https://b.example" } }],
      "another challenge": [connection, { challenge: Buffer.alloc(59).toString("base64url") }],
      // As it is when somebody in between passes on what an honest caller sent.
      "another connection": [other, { meeting: { channel: connection.channel } }],
    };
    for (const [name, [over, change]] of Object.entries(attempts)) {
      const second = caller.secondRound(first, answer, connection, change);
      const refused = await over.post(HANDSHAKE_PATH, second);
      expect(refused, name).toMatchObject({ status: 401, body: { code: "bad-proof" } });
      expect(refused.body["challenge"], name).toBeTypeOf("string");
    }
    const honest = caller.secondRound(first, answer, connection);
    expect((await connection.post(HANDSHAKE_PATH, honest)).status).toBe(200);
    expect((await other.post(HANDSHAKE_PATH, honest)).status, "replayed").toBe(401);
  });

  test("is of no use at another node", async () => {
    const [answerer, second, caller] = [await node("Public"), await node("Public"), await peer()];
    const connection = await caller.connect(answerer.url);
    const first = caller.firstRound(null);
    const answer = (await connection.post(HANDSHAKE_PATH, first)).body as unknown as FirstAnswer;
    const elsewhere = await caller.connect(second.url);
    const replayed = await elsewhere.post(HANDSHAKE_PATH, caller.secondRound(first, answer, elsewhere));
    expect(replayed).toMatchObject({ status: 401, body: { code: "bad-proof" } });
  });
});
