/** Files that are withdrawn: gone from every answer and from the disk, remembered, and never half gone. */
import { createHash, randomBytes } from "node:crypto";
import { appendFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { runNodeCommand } from "../testkit/node-command.ts";
import { configuredNode } from "../testkit/node-config.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { NodeArchive, nothingIncoming, type SampleFile, sampleFile } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const FULL = process.env["ARCHIVE_TEST_FULL"] === "1";
const KILLS = FULL ? 100 : 5;
const FILES_PER_KILL = 4;
const KILL_WITHIN_MS = 80;
const DEADLINE_MS = 180_000;

async function blobFiles(dataDir: string): Promise<readonly string[]> {
  const entries = await readdir(join(dataDir, "blobs"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

/** Nothing of the file is in any answer of the collection. */
async function expectGone(archive: NodeArchive, file: SampleFile, collection = "default"): Promise<void> {
  const [url = ""] = file.urls;
  expect(await archive.cdx(url, collection)).toEqual([]);
  expect(await archive.search(file.word, collection)).toEqual([]);
  expect((await archive.get(`/${collection}/2026id_/${url}`)).status).toBe(404);
  expect(await archive.hashes(collection)).not.toContain(file.sha256);
  for (const path of ["", "/content"]) {
    const answer = await archive.get(`/api/v1/collections/${collection}/warcs/${file.sha256}${path}`);
    expect(answer).toMatchObject({ status: 410, json: { code: "blob-withdrawn" } });
  }
}

async function expectHeld(archive: NodeArchive, file: SampleFile, collection = "default"): Promise<void> {
  const [url = ""] = file.urls;
  expect(await archive.cdx(url, collection)).toHaveLength(1);
  expect((await archive.get(`/${collection}/2026id_/${url}`)).status).toBe(200);
  expect((await archive.content(file.sha256, collection)).status).toBe(200);
  await archive.searchable(file.sha256, collection);
  expect(await archive.search(file.word, collection)).toHaveLength(file.urls.length);
}

async function facetsOf(archive: NodeArchive, q: string): Promise<unknown> {
  const { json } = await archive.get(`/api/v1/search?q=${q}&scope=local`);
  const { total, facets } = json as { readonly total: number; readonly facets: unknown };
  return { total, facets };
}

test("a withdrawn file is gone from every answer and the disk, also after a restart and a rebuild", async () => {
  await using dir = await tempDir("withdrawn");
  const [gone, kept] = [sampleFile({ name: "gone", pages: 3 }), sampleFile({ name: "kept", pages: 2 })];
  {
    await using node = await startArchiveNode({ dataDir: dir.path });
    await using archive = new NodeArchive(node);
    await archive.upload(kept.bytes);
    await archive.searchable(kept.sha256);
    const before = await facetsOf(archive, "example");
    await archive.upload(gone.bytes);
    await expectHeld(archive, gone);
    expect(await facetsOf(archive, "example")).not.toEqual(before);

    expect((await archive.withdraw(gone.sha256)).status).toBe(204);
    await expectGone(archive, gone);
    expect(await facetsOf(archive, "example")).toEqual(before);
    expect(await blobFiles(dir.path)).toEqual([kept.sha256]);
    expect((await archive.withdraw(gone.sha256)).status).toBe(204);
    expect(await archive.withdraw("0".repeat(64))).toMatchObject({ status: 404, json: { code: "blob-unknown" } });

    const refused = await archive.upload(gone.bytes);
    expect(refused).toMatchObject({ status: 409, json: { code: "withdrawn-before" } });
    expect((refused.json as { detail: string }).detail).toContain("?again=true");
    await nothingIncoming(dir.path);
    expect(await blobFiles(dir.path)).toEqual([kept.sha256]);
  }
  {
    await using node = await startArchiveNode({ dataDir: dir.path });
    await using archive = new NodeArchive(node);
    await expectGone(archive, gone);
    await expectHeld(archive, kept);
  }
  const rebuilt = await runNodeCommand("rebuild", "--data", dir.path);
  expect(rebuilt.exitCode).toBe(0);
  expect(rebuilt.stdout).toContain("rebuilt: 1 files, 2 captures");
  expect(rebuilt.stdout).not.toContain("send it again");
  await using node = await startArchiveNode({ dataDir: dir.path });
  await using archive = new NodeArchive(node);
  await expectGone(archive, gone);
  expect((await archive.upload(gone.bytes)).status).toBe(409);
  expect((await archive.upload(gone.bytes, "default", "?again=true")).status).toBe(201);
  await expectHeld(archive, gone);
  expect((await archive.upload(gone.bytes)).status).toBe(200);
  expect((await archive.withdraw(gone.sha256)).status).toBe(204);
  await expectGone(archive, gone);
});

test("withdrawing needs the token and leaves other collections what they hold", async () => {
  await using dir = await tempDir("withdrawn");
  const collections = ["one", "two"].map((name) => ({
    ...{ name, access: "Public" as const, embargoSeconds: 0, exclude: [] },
  }));
  await using settings = await configuredNode({ dataDir: dir.path, collections });
  await using node = await startArchiveNode({ dataDir: dir.path, args: ["--config", settings.configFile] });
  await using archive = new NodeArchive(node);
  const file = sampleFile({ name: "shared", pages: 2 });
  for (const name of ["one", "two"]) expect((await archive.upload(file.bytes, name)).status).toBe(201);
  for (const name of ["one", "two"]) await expectHeld(archive, file, name);
  await using stranger = new NodeArchive({ ...node, token: "wrong-wrong-wrong-wrong" });
  expect((await stranger.withdraw(file.sha256, "one")).status).toBe(401);

  expect((await archive.withdraw(file.sha256, "one")).status).toBe(204);
  await expectGone(archive, file, "one");
  await expectHeld(archive, file, "two");
  expect((await archive.upload(file.bytes, "one")).status).toBe(409);
  expect(await blobFiles(dir.path)).toEqual([file.sha256]);
  expect((await archive.withdraw(file.sha256, "two")).status).toBe(204);
  await expectGone(archive, file, "two");
  expect(await blobFiles(dir.path)).toEqual([]);
});

test("the command withdraws on the folder of a running and of a stopped node, and says what it cannot find", async () => {
  await using dir = await tempDir("withdrawn");
  const [first, second] = [sampleFile({ name: "running", pages: 2 }), sampleFile({ name: "stopped", pages: 2 })];
  const command = (hash: string, ...more: string[]) => runNodeCommand("withdraw", hash, "--data", dir.path, ...more);
  {
    await using node = await startArchiveNode({ dataDir: dir.path });
    await using archive = new NodeArchive(node);
    for (const { bytes } of [first, second]) await archive.upload(bytes);
    await expectHeld(archive, first);
    expect(await command(first.sha256)).toEqual({
      ...{ exitCode: 0, stderr: "", stdout: `${first.sha256} withdrawn from collection default\n` },
    });
    await expectGone(archive, first);
    await expectHeld(archive, second);
    const unknown = await command("0".repeat(64), "--collection", "default");
    expect(unknown).toMatchObject({ exitCode: 1, stdout: "" });
    expect(unknown.stderr).toContain(`collection "default" holds no file ${"0".repeat(64)}`);
    expect(await command("nonsense")).toMatchObject({ exitCode: 2, stdout: "" });
  }
  expect((await command(second.sha256)).exitCode).toBe(0);
  expect(await blobFiles(dir.path)).toEqual([]);
  expect((await command(second.sha256)).exitCode).toBe(0);
  await using node = await startArchiveNode({ dataDir: dir.path });
  await using archive = new NodeArchive(node);
  for (const file of [first, second]) await expectGone(archive, file);
});

test("a line of the journal that the catalog has not seen is carried out by the next start, and by a rebuild", async () => {
  await using dir = await tempDir("withdrawn");
  const files = ["first", "second"].map((name) => sampleFile({ name, pages: 2 }));
  {
    await using node = await startArchiveNode({ dataDir: dir.path });
    await using archive = new NodeArchive(node);
    for (const { bytes } of files) await archive.upload(bytes);
    for (const file of files) await expectHeld(archive, file);
  }
  const [first = sampleFile({ name: "", pages: 0 }), second = first] = files;
  // As an end between the journal's flush and the catalog's leaves it: a note, a line, and nothing more.
  const cutOff = async ({ sha256 }: SampleFile): Promise<void> => {
    await appendFile(join(dir.path, "incoming", `${sha256}.01234567-89ab-cdef-0123-456789abcdef.kept`), "");
    const line = { collection: "default", hash: sha256, withdrawnAt: "2026-11-30T12:00:00Z" };
    await appendFile(join(dir.path, "journal.ndjson"), `${JSON.stringify(line)}\n`);
  };
  await cutOff(first);
  {
    await using node = await startArchiveNode({ dataDir: dir.path });
    await using archive = new NodeArchive(node);
    await expectGone(archive, first);
    await expectHeld(archive, second);
    expect(await blobFiles(dir.path)).toEqual([second.sha256]);
  }
  await cutOff(second);
  expect((await runNodeCommand("rebuild", "--data", dir.path, "--adopt", "default")).exitCode).toBe(0);
  await using node = await startArchiveNode({ dataDir: dir.path });
  await using archive = new NodeArchive(node);
  for (const file of files) await expectGone(archive, file);
  expect(await blobFiles(dir.path)).toEqual([]);
});

/** Numbers in [0, 1) that depend on the seed alone. */
function randomFrom(seed: string): () => number {
  let count = 0;
  return () => {
    count += 1;
    return createHash("sha256").update(`${seed}/${count}`).digest().readUInt32BE(0) / 2 ** 32;
  };
}

interface Withdrawn {
  readonly files: readonly SampleFile[];
  readonly acknowledged: ReadonlySet<SampleFile>;
}

/** Stores files, withdraws all of them at once, and kills the node while it does. */
async function oneLife(dataDir: string, round: number, random: () => number, before: Withdrawn): Promise<Withdrawn> {
  await using node = await startArchiveNode({ dataDir });
  await using archive = new NodeArchive(node);
  await checkAll(archive, before, dataDir);
  const files = Array.from({ length: FILES_PER_KILL }, (_none, n) =>
    sampleFile({ name: `r${round}n${n}`, pages: 1 + Math.floor(random() * 200) }),
  );
  for (const { bytes } of files) expect((await archive.upload(bytes)).status).toBe(201);
  if (random() < 0.5) for (const { sha256 } of files) await archive.searchable(sha256);
  const acknowledged = new Set<SampleFile>();
  const withdrawing = files.map(async (file) => {
    const answer = await archive.withdraw(file.sha256).catch(() => undefined);
    if (answer?.status === 204) acknowledged.add(file);
  });
  const answers = Math.floor(random() * FILES_PER_KILL);
  await waitUntil(`${answers} answers`, () => acknowledged.size >= answers, { deadlineMs: DEADLINE_MS, everyMs: 2 });
  // Not a wait for anything: the moment itself is what varies.
  await delay(random() * KILL_WITHIN_MS);
  await node.kill();
  await Promise.all(withdrawing);
  return { files, acknowledged };
}

async function checkAll(archive: NodeArchive, { files, acknowledged }: Withdrawn, dataDir: string): Promise<void> {
  const there = await blobFiles(dataDir);
  for (const file of files) {
    const isHeld = (await archive.state(file.sha256)) !== undefined;
    if (acknowledged.has(file)) expect(isHeld, `${file.word} was said to be gone`).toBe(false);
    expect(there.includes(file.sha256), `${file.word} is there wholly or not at all`).toBe(isHeld);
    if (isHeld) await expectHeldWhole(archive, file);
    else await expectGone(archive, file);
  }
}

async function expectHeldWhole(archive: NodeArchive, file: SampleFile): Promise<void> {
  for (const url of [file.urls[0] ?? "", file.urls.at(-1) ?? ""]) expect(await archive.cdx(url)).toHaveLength(1);
  await archive.searchable(file.sha256);
  expect(await archive.search(file.word)).toHaveLength(Math.min(50, file.urls.length));
}

test(
  `kill -9 at ${KILLS} random moments of withdrawals leaves each file wholly there or wholly gone`,
  async () => {
    const seed = process.env["ARCHIVE_TEST_SEED"] ?? randomBytes(8).toString("hex");
    console.log(`ARCHIVE_TEST_SEED=${seed}`);
    const random = randomFrom(seed);
    await using dir = await tempDir("withdrawn-kills");
    let last: Withdrawn = { files: [], acknowledged: new Set() };
    const gone = new Set<string>();
    for (let round = 0; round < KILLS; round += 1) {
      last = await oneLife(dir.path, round, random, last);
      for (const { sha256 } of last.acknowledged) gone.add(sha256);
    }
    await using node = await startArchiveNode({ dataDir: dir.path });
    await using archive = new NodeArchive(node);
    await checkAll(archive, last, dir.path);
    await nothingIncoming(dir.path);
    const held = await archive.hashes();
    expect(held.filter((hash) => gone.has(hash))).toEqual([]);
    expect((await blobFiles(dir.path)).toSorted()).toEqual(held.toSorted());
    console.log(`${gone.size} withdrawals were acknowledged, ${held.length} files were left`);
  },
  FULL ? 7_200_000 : 1_200_000,
);
