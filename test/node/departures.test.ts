/** Clients that leave early, send garbage lengths of a body, or never finish: no file stays open, nothing stays on disk. */
import { readdir, readlink } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { incoming, NodeArchive, type SampleFile, sampleFile } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const ABORTS = 200;
const AT_ONCE = 20;
const DEADLINE_MS = 90_000;
/** Large enough that no socket buffer swallows it whole. */
const PADDING = Buffer.alloc(512 * 1024, "x");

let node: ArchiveNodeProcess;
let archive: NodeArchive;
let file: SampleFile;

beforeAll(async () => {
  node = await startArchiveNode({ web: true });
  archive = new NodeArchive(node);
  file = sampleFile({ name: "left", pages: 8, padding: PADDING });
  expect((await archive.upload(file.bytes)).status).toBe(201);
  await archive.searchable(file.sha256);
});
afterAll(async () => {
  await archive[Symbol.asyncDispose]();
  await node.stop();
});

/** Files of the archive that the process holds open, without indexes and sockets. */
async function openBlobs(): Promise<readonly string[]> {
  const folder = `/proc/${node.pid}/fd`;
  const targets = await Promise.all((await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => "")));
  return targets.filter((target) => target.includes("/blobs/") || target.includes("/incoming/"));
}

async function sendAndLeave(request: string, afterMs: number): Promise<void> {
  const { hostname, port } = new URL(node.webUrl ?? "");
  const socket: Socket = connect(Number(port), hostname);
  const closed = new Promise<void>((done) => socket.once("close", () => done()));
  socket.on("error", () => {});
  socket.write(request);
  // The moment is what varies, from before the request is read to within the answer.
  await delay(afterMs);
  socket.destroy();
  await closed;
}

const ROUTES: Readonly<Record<string, () => string>> = {
  content: () => `/api/v1/collections/default/warcs/${file.sha256}/content`,
  "raw capture": () => `/default/2026id_/${file.urls[0]}`,
  cdx: () => "/default/cdx?url=left.example.org&matchType=domain",
  search: () => `/api/v1/search?q=${file.word}`,
  list: () => "/api/v1/collections/default/warcs",
};

test.each(Object.keys(ROUTES))(`${ABORTS} clients that leave during %s leave no file open`, async (name) => {
  const request = `GET ${ROUTES[name]?.()} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${node.token}\r\n\r\n`;
  for (let sent = 0; sent < ABORTS; sent += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_none, index) => sendAndLeave(request, index * 2)));
  }
  await waitUntil("every file to be closed", async () => (await openBlobs()).length === 0, { deadlineMs: DEADLINE_MS });
  expect(node.log()).not.toContain("garbage collection");
  expect((await archive.get(ROUTES[name]?.() ?? "")).status).toBe(200);
});

test("uploads cut anywhere leave nothing, and the next one is taken", async () => {
  const sample = sampleFile({ name: "cut", pages: 4, padding: Buffer.alloc(4096, "y") });
  const head =
    `POST /api/v1/collections/default/warcs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${node.token}\r\n` +
    `Content-Type: application/warc\r\nContent-Length: ${sample.bytes.length}\r\n\r\n`;
  const whole = Buffer.concat([Buffer.from(head), sample.bytes]);
  for (let cut = 0; cut < 60; cut += 1) {
    const at = Math.floor((whole.length - 1) * (cut / 60));
    await sendAndLeave(whole.subarray(0, at).toString("latin1"), cut % 3);
  }
  await waitUntil(
    "nothing to be on the way",
    // The last sender may be gone before the node looks at what it sent.
    async () => (await incoming(node.dataDir)).length === 0 && (await openBlobs()).length === 0,
    { deadlineMs: DEADLINE_MS },
  );
  expect(await archive.hashes()).toEqual([file.sha256]);
  expect((await archive.upload(sample.bytes)).status).toBe(201);
});

test("300 connections that never finish their header, and 100 that never read, do not keep others from answers", async () => {
  const { hostname, port } = new URL(node.webUrl ?? "");
  const start = (text: string): Socket => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.write(text);
    return socket;
  };
  const slow = Array.from({ length: 300 }, () => start("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: a"));
  const deaf = Array.from({ length: 100 }, () =>
    start(`GET ${ROUTES["content"]?.()} HTTP/1.1\r\nHost: localhost\r\n\r\n`).pause(),
  );
  const ended = slow.map((socket) => new Promise<void>((done) => socket.resume().once("close", () => done())));
  expect((await archive.get("/healthz")).status).toBe(200);
  expect(await archive.cdx(file.urls[0] ?? "")).toHaveLength(1);
  expect((await archive.upload(sampleFile({ name: "meanwhile", pages: 1 }).bytes)).status).toBe(201);
  await Promise.all(ended);
  for (const socket of deaf) socket.destroy();
  await waitUntil("every file to be closed", async () => (await openBlobs()).length === 0, { deadlineMs: DEADLINE_MS });
});
