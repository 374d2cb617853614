import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { type FollowDeps, followBlobs, retryFailed } from "./follow-blobs.ts";
import { IndexWriter } from "./index-writer.ts";
import type { IndexerEvent } from "./indexer.ts";
import { openWriter } from "./schema.ts";
import type { IndexSource, SourceCapture } from "./source.ts";

/** More than one batch of 1,000. */
const CAPTURES = 1_200;
const THREAD = { program: "1.0", lastEnd: undefined };
const BLOB = { sequence: 1, hash: "a".repeat(64), collection: "web" };

/** One blob of many captures; notes which payloads are read. */
function manyCaptures(read: number[], beforeReading: (n: number) => void): IndexSource {
  const capture = (n: number): SourceCapture => ({
    url: `https://www.example.org/${n}`,
    urlkey: `org,example,www)/${n}`,
    timestamp: "20200101000000",
    mime: "text/plain",
    digest: String(n),
    revisit: false,
    payload: async () => {
      beforeReading(n);
      read.push(n);
      return { contentType: "text/plain", body: Buffer.from(`page number ${n}`) };
    },
  });
  return {
    blobsAfter: async (sequence) => (sequence < BLOB.sequence ? [BLOB] : []),
    captures: async function* () {
      for (let n = 0; n < CAPTURES; n += 1) yield capture(n);
    },
    close: async () => {},
  };
}

test("goes on inside a blob after the last committed batch", async () => {
  await using dir = await tempDir("follow");
  const file = `${dir.path}/fulltext.db`;
  const events: IndexerEvent[] = [];
  const post = (event: IndexerEvent): void => void events.push(event);
  const nowMs = (): number => 0;
  const abort = new AbortController();
  const before: number[] = [];
  {
    const database = openWriter(file);
    const writer = new IndexWriter(database);
    const source = manyCaptures(before, (n) => n === 1_100 && abort.abort());
    await followBlobs({ source, writer, post, nowMs, ...THREAD }, abort.signal);
    expect(writer.cursor).toEqual({ sequence: 0, ordinal: 1_000 });
    database.close();
  }
  const database = openWriter(file);
  const writer = new IndexWriter(database);
  const after: number[] = [];
  await followBlobs(
    { source: manyCaptures(after, () => {}), writer, post, nowMs, ...THREAD },
    new AbortController().signal,
  );
  expect(before.at(-1)).toBe(1_100);
  expect([after[0], after.length]).toEqual([1_000, CAPTURES - 1_000]);
  expect(writer.cursor).toEqual({ sequence: 1, ordinal: 0 });
  expect(events).toEqual([{ kind: "indexed", sequence: 1, hash: BLOB.hash, captures: CAPTURES }]);
  expect(database.prepare("SELECT docs FROM blob_stats").all()).toEqual([{ docs: CAPTURES }]);
  expect(database.prepare("SELECT count(*) AS n FROM docs").get()).toEqual({ n: CAPTURES });
  database.close();
});

test("a blob that cannot be read three times is given up with its reason, keeping what was indexed", async () => {
  await using dir = await tempDir("follow");
  const database = openWriter(`${dir.path}/fulltext.db`);
  const writer = new IndexWriter(database);
  const events: IndexerEvent[] = [];
  let tries = 0;
  const source = manyCaptures([], (n) => {
    if (n !== 1_100) return;
    tries += 1;
    throw new Error("bad sector");
  });
  const deps = { source, writer, post: (event: IndexerEvent) => void events.push(event), nowMs: () => 0, ...THREAD };
  await followBlobs(deps, new AbortController().signal);
  expect(tries).toBe(3);
  expect(events).toEqual([
    { kind: "set-aside", blobs: [{ sequence: 1, hash: BLOB.hash, reason: "bad sector" }] },
    { kind: "failed", sequence: 1, hash: BLOB.hash, reason: "bad sector" },
  ]);
  expect(database.prepare("SELECT count(*) AS n FROM docs").get()).toEqual({ n: 1_000 });
  expect(database.prepare("SELECT sequence, reason FROM failures").all()).toEqual([
    { sequence: 1, reason: "bad sector" },
  ]);
  database.close();
});

test("trouble of the database is not held against the blob", async () => {
  await using dir = await tempDir("follow");
  const database = openWriter(`${dir.path}/fulltext.db`);
  const writer = new IndexWriter(database);
  database.exec("PRAGMA max_page_count = 60");
  const deps = { source: manyCaptures([], () => {}), writer, post: () => {}, nowMs: () => 0, ...THREAD };
  await expect(followBlobs(deps, new AbortController().signal)).rejects.toMatchObject({ errcode: 13 });
  expect(database.prepare("SELECT count(*) AS n FROM failures").get()).toEqual({ n: 0 });
  database.exec("PRAGMA max_page_count = 1000000");
  await followBlobs(deps, new AbortController().signal);
  expect(writer.cursor).toEqual({ sequence: 1, ordinal: 0 });
  database.close();
});

test("what one version set aside, another tries once and only once", async () => {
  await using dir = await tempDir("follow");
  const database = openWriter(`${dir.path}/fulltext.db`);
  const writer = new IndexWriter(database);
  let broken = true;
  let tries = 0;
  const source = manyCaptures([], (n) => {
    if (n !== 1_100 || !broken) return;
    tries += 1;
    throw new Error("unheard-of markup");
  });
  const events: IndexerEvent[] = [];
  const never = new AbortController().signal;
  const program = (version: string): FollowDeps => ({
    ...{ source: { ...source, blobsAfter: blobsOnce }, writer, post: (event) => void events.push(event) },
    ...{ nowMs: () => 0, program: version, lastEnd: undefined },
  });
  const blobsOnce = (sequence: number) => source.blobsAfter(sequence, 1);
  await followBlobs(program("1.0"), never);
  await retryFailed(program("1.0"), never);
  expect(tries).toBe(3);
  await retryFailed(program("1.1"), never);
  await retryFailed(program("1.1"), never);
  expect(tries).toBe(4);
  broken = false;
  events.length = 0;
  await retryFailed(program("1.2"), never);
  expect(events).toEqual([
    { kind: "indexed", sequence: 1, hash: BLOB.hash, captures: CAPTURES },
    { kind: "set-aside", blobs: [] },
  ]);
  expect(writer.cursor).toEqual({ sequence: 1, ordinal: 0 });
  expect(database.prepare("SELECT count(*) AS n FROM docs").get()).toEqual({ n: CAPTURES });
  database.close();
});
