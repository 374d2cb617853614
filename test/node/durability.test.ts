/** What a node acknowledged is there after anything; what it did not acknowledge is there wholly or not at all. */
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { type TempDir, tempDir } from "../testkit/temp-dir.ts";
import { incoming, NodeArchive, nothingIncoming, type SampleFile, sampleFile, sha256Of } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const FULL = process.env["ARCHIVE_TEST_FULL"] === "1";
const KILLS = FULL ? 200 : 20;
const UPLOADERS = 3;
/** A kill falls up to this many answers and then up to this long after uploads began: before the first, in a commit. */
const KILL_AFTER_ANSWERS = 8;
const KILL_WITHIN_MS = 60;
const DEADLINE_MS = 180_000;

async function blobFiles(dataDir: string): Promise<readonly string[]> {
  const entries = await readdir(join(dataDir, "blobs"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

test("a stored file is found, replayed and read back, before and after a restart", async () => {
  await using dir = await tempDir("durable");
  const file = sampleFile({ name: "kept", pages: 3 });
  const [url = ""] = file.urls;
  const check = async (archive: NodeArchive) => {
    expect(await archive.cdx(url)).toHaveLength(1);
    await archive.searchable(file.sha256);
    expect((await archive.search(file.word)).toSorted()).toEqual(file.urls);
    expect((await archive.get(`/default/2026id_/${url}`)).text).toContain(`${file.word} on ${url}`);
    expect((await archive.content(file.sha256)).headers["repr-digest"]).toBe(
      `sha-256=:${Buffer.from(file.sha256, "hex").toString("base64")}:`,
    );
  };
  const first = await startArchiveNode({ dataDir: dir.path });
  {
    await using archive = new NodeArchive(first);
    expect(await archive.upload(file.bytes)).toMatchObject({
      status: 201,
      json: { hash: file.sha256, size: file.bytes.length, records: 4, captures: 3, damaged: [] },
    });
    await check(archive);
  }
  expect(await first.stop()).toBe(0);
  await using second = await startArchiveNode({ dataDir: dir.path });
  await using archive = new NodeArchive(second);
  await check(archive);
  expect(await archive.upload(file.bytes)).toMatchObject({ status: 200, json: { hash: file.sha256, captures: 3 } });
  expect(await archive.cdx(url)).toHaveLength(1);
});

test("the same bytes sent many times at once are one file", async () => {
  await using node = await startArchiveNode();
  await using archive = new NodeArchive(node);
  const file = sampleFile({ name: "twins", pages: 20 });
  const answers = await Promise.all(Array.from({ length: 6 }, () => archive.upload(file.bytes)));
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 200, 200, 201]);
  expect(await archive.cdx(file.urls[0] ?? "")).toHaveLength(1);
  expect(await blobFiles(node.dataDir)).toEqual([file.sha256]);
  await nothingIncoming(node.dataDir);
});

test("an upload that ends half-way, or breaks its promise, leaves nothing", async () => {
  await using node = await startArchiveNode();
  await using archive = new NodeArchive(node);
  const file = sampleFile({ name: "half", pages: 50, padding: randomBytes(4096) });
  async function* cut(): AsyncGenerator<Uint8Array, void> {
    yield file.bytes.subarray(0, file.bytes.length / 2);
    await waitUntil("the node to write the first half", async () => (await incoming(node.dataDir)).length > 0, {
      deadlineMs: DEADLINE_MS,
    });
    throw new Error("the sender is gone");
  }
  await expect(archive.upload(cut())).rejects.toThrow();
  await nothingIncoming(node.dataDir);
  const refused = await archive.upload(Buffer.from("<html>no archive</html>"));
  expect(refused).toMatchObject({ status: 422, json: { code: "not-an-archive" } });
  expect(await blobFiles(node.dataDir)).toEqual([]);
  await nothingIncoming(node.dataDir);
  expect(await archive.hashes()).toEqual([]);
});

interface Life {
  readonly acknowledged: readonly SampleFile[];
  /** Begun and not answered when the node was killed. */
  readonly open: readonly SampleFile[];
}

/** Uploads from several senders until the node is killed, after a random while. */
async function oneLife(dir: TempDir, round: number, random: () => number): Promise<Life> {
  const node = await startArchiveNode({ dataDir: dir.path });
  const archive = new NodeArchive(node);
  const acknowledged: SampleFile[] = [];
  const open = new Set<SampleFile>();
  const killed = new AbortController();
  const sender = async (id: number): Promise<void> => {
    for (let turn = 0; !killed.signal.aborted; turn += 1) {
      const pages = 1 + Math.floor(random() * 40);
      const file = sampleFile({ name: `r${round}s${id}t${turn}`, pages });
      open.add(file);
      const answer = await archive.upload(file.bytes).catch(() => undefined);
      if (answer === undefined) return;
      if (answer.status !== 201) throw new Error(`upload answered ${answer.status}: ${answer.text}`);
      acknowledged.push(file);
      open.delete(file);
    }
  };
  const senders = Array.from({ length: UPLOADERS }, (_none, id) => sender(id));
  const answers = Math.floor(random() * KILL_AFTER_ANSWERS);
  await waitUntil(`${answers} answers`, () => acknowledged.length >= answers, { deadlineMs: DEADLINE_MS, everyMs: 2 });
  // Not a wait for anything: the moment itself is what varies.
  await delay(random() * KILL_WITHIN_MS);
  await node.kill();
  killed.abort();
  await Promise.all(senders);
  await archive[Symbol.asyncDispose]();
  return { acknowledged, open: [...open] };
}

/** Numbers in [0, 1) that depend on the seed alone. */
function randomFrom(seed: string): () => number {
  let count = 0;
  return () => {
    count += 1;
    return createHash("sha256").update(`${seed}/${count}`).digest().readUInt32BE(0) / 2 ** 32;
  };
}

async function checkAcknowledged(archive: NodeArchive, file: SampleFile): Promise<void> {
  const state = await archive.state(file.sha256);
  expect(["captured", "searchable"], `state of an acknowledged file: ${file.word}`).toContain(state);
  for (const url of [file.urls[0] ?? "", file.urls.at(-1) ?? ""]) expect(await archive.cdx(url)).toHaveLength(1);
}

async function checkOpen(archive: NodeArchive, file: SampleFile, dataDir: string): Promise<void> {
  const held = (await archive.state(file.sha256)) !== undefined;
  for (const url of [file.urls[0] ?? "", file.urls.at(-1) ?? ""]) {
    expect(await archive.cdx(url), `${file.word} is there wholly or not at all`).toHaveLength(held ? 1 : 0);
  }
  expect((await blobFiles(dataDir)).includes(file.sha256)).toBe(held);
}

async function checkEverything(node: ArchiveNodeProcess, acknowledged: readonly SampleFile[]): Promise<void> {
  await using archive = new NodeArchive(node);
  for (const file of acknowledged) {
    const path = join(node.dataDir, "blobs/sha256", file.sha256.slice(0, 2), file.sha256.slice(2, 4), file.sha256);
    expect(sha256Of(await readFile(path))).toBe(file.sha256);
    await archive.searchable(file.sha256);
    expect(await archive.search(file.word)).toContain(file.urls[0]);
  }
  expect((await archive.hashes()).toSorted()).toEqual((await blobFiles(node.dataDir)).toSorted());
}

test(
  `kill -9 at ${KILLS} random moments of uploads loses nothing that was acknowledged`,
  async () => {
    const seed = process.env["ARCHIVE_TEST_SEED"] ?? randomBytes(8).toString("hex");
    console.log(`ARCHIVE_TEST_SEED=${seed}`);
    const random = randomFrom(seed);
    await using dir = await tempDir("kills");
    const acknowledged: SampleFile[] = [];
    let last: Life = { acknowledged: [], open: [] };
    for (let round = 0; round < KILLS; round += 1) {
      last = await oneLife(dir, round, random);
      acknowledged.push(...last.acknowledged);
      if (round % 5 !== 4) continue;
      await using node = await startArchiveNode({ dataDir: dir.path });
      await using archive = new NodeArchive(node);
      await nothingIncoming(dir.path);
      for (const file of last.acknowledged) await checkAcknowledged(archive, file);
      for (const file of last.open) await checkOpen(archive, file, dir.path);
    }
    await using node = await startArchiveNode({ dataDir: dir.path });
    await checkEverything(node, acknowledged);
    console.log(`${acknowledged.length} files were acknowledged`);
    expect(acknowledged.length).toBeGreaterThan(0);
  },
  FULL ? 7_200_000 : 1_200_000,
);
