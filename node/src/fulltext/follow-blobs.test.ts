import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { type FollowDeps, followBlobs, removeWithdrawn, retryFailed } from "./follow-blobs.ts";
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
    withdrawnAfter: async () => [],
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

test("a blob withdrawn while it is indexed leaves nothing, and the next one is begun at its beginning", async () => {
  await using dir = await tempDir("follow");
  const database = openWriter(`${dir.path}/fulltext.db`);
  const writer = new IndexWriter(database);
  const events: IndexerEvent[] = [];
  const next = { ...BLOB, sequence: 2, hash: "b".repeat(64) };
  const read: number[] = [];
  let isGone = false;
  const source = manyCaptures(read, (n) => (isGone ||= n === 1_100));
  const deps: FollowDeps = {
    source: {
      ...source,
      blobsAfter: async (sequence) =>
        [BLOB, next].filter((blob) => blob.sequence > sequence && !(isGone && blob === BLOB)),
      captures: async function* (blob, signal) {
        // As the archive does: of a blob that is gone, no capture is told any more.
        for await (const capture of source.captures(blob, signal)) {
          if (isGone && blob.sequence === BLOB.sequence) return;
          yield capture;
        }
      },
      withdrawnAfter: async (sequence) => (isGone && sequence < 3 ? [{ sequence: 3, blob: BLOB.sequence }] : []),
    },
    ...{ writer, post: (event) => void events.push(event), nowMs: () => 0, ...THREAD },
  };
  await followBlobs(deps, new AbortController().signal);
  expect(read.slice(1_101)).toEqual(Array.from({ length: CAPTURES }, (_none, n) => n));
  expect(database.prepare("SELECT blob, docs FROM blob_stats").all()).toEqual([{ blob: 2, docs: CAPTURES }]);
  expect(database.prepare("SELECT DISTINCT blob FROM docs").all()).toEqual([{ blob: 2 }]);
  expect(database.prepare("SELECT DISTINCT blob FROM sightings").all()).toEqual([{ blob: 2 }]);
  expect([writer.cursor, writer.withdrawn]).toEqual([{ sequence: 2, ordinal: 0 }, 3]);
  expect(events.filter(({ kind }) => kind === "failed")).toEqual([]);
  database.close();
});

test("a withdrawal found after a restart takes out the part that was indexed, and moves the cursor out of it", async () => {
  await using dir = await tempDir("follow");
  const file = `${dir.path}/fulltext.db`;
  {
    const database = openWriter(file);
    const abort = new AbortController();
    const source = manyCaptures([], (n) => n === 1_100 && abort.abort());
    const writer = new IndexWriter(database);
    await followBlobs({ source, writer, post: () => {}, nowMs: () => 0, ...THREAD }, abort.signal);
    expect(writer.cursor).toEqual({ sequence: 0, ordinal: 1_000 });
    database.close();
  }
  const database = openWriter(file);
  const writer = new IndexWriter(database);
  const withdrawn = async (sequence: number) => (sequence < 2 ? [{ sequence: 2, blob: BLOB.sequence }] : []);
  const source = { ...manyCaptures([], () => {}), blobsAfter: async () => [], withdrawnAfter: withdrawn };
  const removed = await removeWithdrawn({ source, writer, post: () => {} }, new AbortController().signal);
  expect([...removed]).toEqual([BLOB.sequence]);
  for (const table of ["docs", "forward", "bodies", "sightings", "terms", "pages", "blob_stats"]) {
    expect(database.prepare(`SELECT count(*) AS n FROM ${table}`).get(), table).toEqual({ n: 0 });
  }
  expect([writer.cursor, writer.withdrawn]).toEqual([{ sequence: 1, ordinal: 0 }, 2]);
  database.close();
});
