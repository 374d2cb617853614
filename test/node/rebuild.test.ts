/** Damaged and lost index files: found, named with what to do, and made anew from the stored files and the journal. */
import { spawnSync } from "node:child_process";
import { appendFile, open as openFile, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { EXIT_CODES } from "../../node/src/contract/exit-codes.ts";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { configuredNode } from "../testkit/node-config.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { NodeArchive, nothingIncoming, type SampleFile, sampleFile } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const PROGRAM = resolve(import.meta.dirname, "../../node/bin/archive-node");
const PAGE = 4096;
const DEADLINE_MS = 60_000;
const [open, secret] = ["open", "secret"];
const FILES = ["one", "two", "three"].map((name) => sampleFile({ name, pages: 30 }));

const run = (...args: readonly string[]) =>
  spawnSync(process.execPath, [PROGRAM, ...args], { encoding: "utf8", timeout: 120_000 });

async function withNode<T>(dataDir: string, use: (archive: NodeArchive) => Promise<T>): Promise<T> {
  await using node = await startArchiveNode({ dataDir });
  await using archive = new NodeArchive(node);
  return await use(archive);
}

/** Everything that the indexes say of the files. */
async function answersOf(archive: NodeArchive, files: readonly SampleFile[]) {
  for (const file of files) await archive.searchable(file.sha256);
  const cdx = await Promise.all(files.flatMap((file) => file.urls.map((url) => archive.cdx(url))));
  const found = await Promise.all(files.map((file) => archive.search(file.word)));
  return { cdx, found: found.map((urls) => urls.toSorted()), hashes: (await archive.hashes()).toSorted() };
}

async function filled(dataDir: string) {
  return withNode(dataDir, async (archive) => {
    for (const file of FILES) {
      expect((await archive.upload(file.bytes, "default", `?filename=${file.word}.warc.gz`)).status).toBe(201);
    }
    return answersOf(archive, FILES);
  });
}

async function overwritePages(file: string, from: number): Promise<void> {
  await using handle = await openFile(file, "r+");
  const { size } = await handle.stat();
  for (let at = from * PAGE; at < size; at += PAGE) await handle.write(Buffer.alloc(PAGE, 0xaa), 0, PAGE, at);
}

test.each([
  ["its first page", 0],
  ["all pages but the first", 1],
])("a catalog damaged in %s stops the start with a reason; rebuild gives the same answers", async (_name, page) => {
  await using dir = await tempDir("rebuild");
  const before = await filled(dir.path);
  await overwritePages(join(dir.path, "catalog.db"), page);
  const refused = run("serve", "--data", dir.path, "--listen", "127.0.0.1:0");
  expect(refused.status, refused.stderr).toBe(EXIT_CODES.indexDamaged);
  expect(refused.stderr).toContain("catalog.db is damaged");
  expect(refused.stderr).toContain("archive-node rebuild --data DIR");
  const rebuilt = run("rebuild", "--data", dir.path);
  expect(rebuilt.status, rebuilt.stderr).toBe(0);
  expect(rebuilt.stdout).toContain("3 files, 90 captures; 0 files were not in the journal");
  await withNode(dir.path, async (archive) => expect(await answersOf(archive, FILES)).toEqual(before));
});

test("damage that shows itself while the node runs degrades it and stops uploads", async () => {
  await using dir = await tempDir("damage");
  await filled(dir.path);
  await withNode(dir.path, async (archive) => {
    await overwritePages(join(dir.path, "catalog.db"), 1);
    const seen = async () => {
      await archive.cdx(FILES[0]?.urls[0] ?? "").catch(() => undefined);
      return ((await archive.get("/readyz")).json as { phase: string }).phase === "Degraded";
    };
    await waitUntil("the node to be degraded", seen, { deadlineMs: DEADLINE_MS });
    const refused = await archive.upload(sampleFile({ name: "more", pages: 1 }).bytes);
    expect(refused).toMatchObject({ status: 503, json: { code: "storage-unavailable" } });
    expect(refused.text).toContain("archive-node rebuild");
  });
});

test("a lost journal stops the start; rebuild asks the former catalog and gives the same answers", async () => {
  await using dir = await tempDir("journal");
  const before = await filled(dir.path);
  await rm(join(dir.path, "journal.ndjson"));
  const refused = run("serve", "--data", dir.path, "--listen", "127.0.0.1:0");
  expect([refused.status, refused.stderr]).toEqual([
    EXIT_CODES.indexDamaged,
    expect.stringContaining("journal.ndjson is damaged") as string,
  ]);
  expect(run("rebuild", "--data", dir.path).stdout).toContain("3 files were not in the journal");
  await withNode(dir.path, async (archive) => expect(await answersOf(archive, FILES)).toEqual(before));
});

test("files keep their collections through a rebuild without the journal and without --config", async () => {
  await using dir = await tempDir("collections");
  await using settings = await configuredNode({
    dataDir: dir.path,
    collections: [open, secret].map((name) => ({
      ...{ name, access: name === secret ? "Private" : "Public", embargoSeconds: 0, exclude: [] },
    })),
  });
  const [first, second] = FILES;
  const configured = async (check: (archive: NodeArchive) => Promise<void>) => {
    await using node = await startArchiveNode({ dataDir: dir.path, args: ["--config", settings.configFile] });
    await using archive = new NodeArchive(node);
    await check(archive);
  };
  const { bytes, sha256 } = first ?? sampleFile({ name: "none", pages: 1 });
  await configured(async (archive) => {
    expect((await archive.upload(bytes, secret)).status).toBe(201);
    expect((await archive.upload(second?.bytes ?? bytes, open)).status).toBe(201);
    expect((await archive.upload(second?.bytes ?? bytes, secret)).status).toBe(201);
  });
  const expectCollections = () =>
    configured(async (archive) => {
      expect(await archive.hashes(open)).toEqual([second?.sha256]);
      expect(new Set(await archive.hashes(secret))).toEqual(new Set([sha256, second?.sha256]));
    });
  await rm(join(dir.path, "journal.ndjson"));
  expect(run("rebuild", "--data", dir.path).stdout).toContain("3 files were not in the journal");
  await expectCollections();
  // With neither journal nor catalog nothing is guessed.
  await rm(join(dir.path, "journal.ndjson"));
  await rm(join(dir.path, "catalog.db"));
  const left = run("rebuild", "--data", dir.path);
  expect([left.status, left.stderr]).toEqual([1, expect.stringContaining("2 files are in no collection") as string]);
  await configured(async (archive) =>
    expect([await archive.hashes(open), await archive.hashes(secret)]).toEqual([[], []]),
  );
  const wrong = run("rebuild", "--data", dir.path, "--adopt", secret);
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining("only default") as string]);
  expect(run("rebuild", "--config", settings.configFile, "--adopt", secret).status).toBe(0);
  await configured(async (archive) => {
    expect(await archive.hashes(open)).toEqual([]);
    expect(await archive.hashes(secret)).toHaveLength(2);
  });
});

test("a rebuild that was cut short leaves the former catalog to the next one", async () => {
  await using dir = await tempDir("cut");
  const before = await filled(dir.path);
  await rm(join(dir.path, "journal.ndjson"));
  for (const suffix of ["", "-wal", "-shm"]) {
    await rename(join(dir.path, `catalog.db${suffix}`), join(dir.path, `catalog.db.old${suffix}`)).catch(
      () => undefined,
    );
  }
  await writeFile(join(dir.path, "catalog.db"), "");
  expect(run("rebuild", "--data", dir.path).stdout).toContain("3 files were not in the journal");
  await withNode(dir.path, async (archive) => expect(await answersOf(archive, FILES)).toEqual(before));
});

test("a line that a crash left unfinished is cut off; of a damaged line the former catalog knows the rest", async () => {
  await using dir = await tempDir("journal");
  const before = await filled(dir.path);
  const journal = join(dir.path, "journal.ndjson");
  const { size } = await stat(journal);
  await appendFile(journal, '{"collection":"default","ha');
  await withNode(dir.path, async (archive) => expect(await answersOf(archive, FILES)).toEqual(before));
  expect((await stat(journal)).size).toBe(size);
  const [first = "", second = "", ...rest] = (await readFile(journal, "utf8")).split("\n");
  await writeFile(journal, [first, "x".repeat(second.length), ...rest].join("\n"));
  const rebuilt = run("rebuild", "--data", dir.path);
  expect(rebuilt.stderr).toContain("a line of the journal cannot be read");
  expect(rebuilt.stdout).toContain("3 files, 90 captures; 1 files were not in the journal");
  await withNode(dir.path, async (archive) => expect(await answersOf(archive, FILES)).toEqual(before));
});

test("a stored file that is gone is named, and the others stay", async () => {
  await using dir = await tempDir("missing");
  await filled(dir.path);
  const [gone, ...kept] = FILES;
  const { sha256 = "", urls = [] } = gone ?? {};
  await rm(join(dir.path, "blobs/sha256", sha256.slice(0, 2), sha256.slice(2, 4), sha256));
  await withNode(dir.path, async (archive) => {
    const answer = await archive.get(`/default/2026id_/${urls[0] ?? ""}`);
    expect(answer).toMatchObject({ status: 503, json: { code: "storage-unavailable" } });
    expect(answer.text).toContain(sha256);
    expect((await archive.content(sha256)).status).toBe(503);
  });
  const rebuilt = run("rebuild", "--data", dir.path);
  expect([rebuilt.status, rebuilt.stderr]).toEqual([0, expect.stringContaining(sha256) as string]);
  await withNode(dir.path, async (archive) => {
    expect((await archive.hashes()).toSorted()).toEqual(kept.map((file) => file.sha256).toSorted());
    expect(await archive.cdx(urls[0] ?? "")).toEqual([]);
  });
});

test("a stored file that was damaged on the volume is named with the place", async () => {
  await using dir = await tempDir("rotten");
  await filled(dir.path);
  const { sha256 = "", urls = [] } = FILES[0] ?? {};
  const place = join(dir.path, "blobs/sha256", sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  const { size } = await stat(place);
  await truncate(place, size - 100);
  await withNode(dir.path, async (archive) => {
    const offset = Number((await archive.cdx(urls.at(-1) ?? ""))[0]?.match(/"offset": "(\d+)"/)?.[1]);
    const answer = await archive.get(`/default/2026id_/${urls.at(-1) ?? ""}`);
    expect(answer).toMatchObject({ status: 503, json: { code: "storage-unavailable" } });
    expect(answer.text).toContain(`${sha256} is damaged at byte ${offset}`);
    expect((await archive.get(`/default/2026id_/${urls[0] ?? ""}`)).status).toBe(200);
  });
});

test.each([
  ["gone", (file: string) => rm(file)],
  ["cut short", (file: string) => truncate(file, 100)],
  ["gone with its folders", (file: string) => rm(resolve(file, "../.."), { recursive: true })],
])("a stored file that is %s is whole again when it is sent again", async (_name, lose) => {
  await using dir = await tempDir("again");
  const before = await filled(dir.path);
  const { bytes, sha256 } = FILES[0] ?? sampleFile({ name: "none", pages: 1 });
  const place = join(dir.path, "blobs/sha256", sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  await lose(place);
  await withNode(dir.path, async (archive) => {
    expect(await archive.upload(bytes)).toMatchObject({ status: 200, json: { hash: sha256, captures: 30 } });
    expect(await readFile(place)).toEqual(bytes);
    await nothingIncoming(dir.path);
    expect((await archive.content(sha256)).status).toBe(200);
    expect((await archive.get(`/default/2026id_/${FILES[0]?.urls[0] ?? ""}`)).status).toBe(200);
  });
  expect(run("rebuild", "--data", dir.path).status).toBe(0);
  await withNode(dir.path, async (archive) => expect(await answersOf(archive, FILES)).toEqual(before));
});

test("a catalog of a later version is refused with what to do, and rebuild makes one of this version", async () => {
  await using dir = await tempDir("later");
  const before = await filled(dir.path);
  {
    using database = new DatabaseSync(join(dir.path, "catalog.db"));
    database.exec("PRAGMA user_version = 99");
  }
  const refused = run("serve", "--data", dir.path, "--listen", "127.0.0.1:0");
  expect([refused.status, refused.stderr]).toEqual([
    EXIT_CODES.dataUnusable,
    expect.stringMatching(/catalog\.db was written by a later version of archive-node \(schema 99.*rebuild/) as string,
  ]);
  expect(run("rebuild", "--data", dir.path).status).toBe(0);
  await withNode(dir.path, async (archive) => expect(await answersOf(archive, FILES)).toEqual(before));
});

test("a catalog that is gone is made again by a start", async () => {
  await using dir = await tempDir("catalog");
  const before = await filled(dir.path);
  for (const suffix of ["", "-wal", "-shm"]) await rm(join(dir.path, `catalog.db${suffix}`), { force: true });
  await withNode(dir.path, async (archive) => expect(await answersOf(archive, FILES)).toEqual(before));
});
