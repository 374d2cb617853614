/** The catalog's writing thread when it ends, or is kept out, in the middle of a commit. */
import { execFileSync } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { waitUntil } from "../../../test/testkit/wait-until.ts";
import { WorkerCalls } from "../storage/worker-calls.ts";
import { type CatalogFiles, type CatalogWrites, type Commit, catalogFiles } from "./catalog-calls.ts";

const HASH = "a".repeat(64);
const signal = AbortSignal.timeout(60_000);

const writerOf = (files: CatalogFiles) =>
  new WorkerCalls<CatalogWrites>({
    url: new URL("./catalog-writer.worker.ts", import.meta.url),
    name: "catalog writer",
    workerData: files,
  });

const commitOf = (spool: string | undefined): Commit => ({
  entry: { collection: "web", hash: HASH, filename: undefined, size: 1, receivedAt: "2026-01-02T03:04:05Z" },
  reading: { format: "warc", compression: "none", records: 1, damaged: [], digests: undefined, reason: undefined },
  ...{ spool, captures: 0, journalEnd: undefined },
});

const rowsOf = (database: string) => {
  using connection = new DatabaseSync(database, { readOnly: true });
  return connection.prepare("SELECT sequence, hash FROM blobs").all();
};

test("a thread that ends inside a commit leaves no row; the same file is taken again, and the journal read once", async () => {
  await using dir = await tempDir("writer");
  const files = catalogFiles(dir.path);
  const writer = writerOf(files);
  // A pipe nobody writes to holds the thread inside its transaction.
  const pipe = join(dir.path, "spool");
  execFileSync("mkfifo", [pipe]);
  const cut = writer.call("commit", commitOf(pipe), signal);
  cut.catch(() => undefined);
  await using held = await open(pipe, "w");
  await waitUntil("the journal's line", async () => (await readFile(files.journal, "utf8")).includes(HASH), {
    deadlineMs: 20_000,
  });
  const ended = writer.abandon();
  await held.close();
  await ended;
  await expect(cut).rejects.toMatchObject({ code: "WORKER_LOST" });
  expect(rowsOf(files.database)).toEqual([]);
  expect(await writer.call("commit", commitOf(undefined), signal)).toEqual({ sequence: 1, created: true });
  await writer.close();
  // Two lines for one file; a rebuild reads both, and comes to an end.
  const rebuilt = writerOf({ ...files, database: join(dir.path, "again.db") });
  const lines = await rebuilt.call("unread", 10, signal);
  expect(lines.map((line) => line.entry?.hash)).toEqual([HASH, HASH]);
  for (const { end } of lines) await rebuilt.call("commit", { ...commitOf(undefined), journalEnd: end }, signal);
  expect(await rebuilt.call("unread", 10, signal)).toEqual([]);
  await rebuilt.close();
});

test("a catalog locked by another program is named as such, nothing is written, and later it works", async () => {
  await using dir = await tempDir("writer");
  const files = catalogFiles(dir.path);
  const writer = writerOf(files);
  await writer.call("open", undefined as never, signal);
  {
    using other = new DatabaseSync(files.database);
    other.exec("BEGIN IMMEDIATE");
    await expect(writer.call("commit", commitOf(undefined), signal)).rejects.toMatchObject({
      code: "INDEX_LOCKED",
      message: expect.stringContaining("another program") as string,
    });
  }
  expect(await readFile(files.journal, "utf8")).toBe("");
  expect(await writer.call("commit", commitOf(undefined), signal)).toMatchObject({ created: true });
  await writer.close();
});
