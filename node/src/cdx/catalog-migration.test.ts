import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { openForWriting } from "../storage/database.ts";
import { CaptureIndex } from "./capture-index.ts";
import { catalogFiles } from "./catalog-calls.ts";
import { MIGRATIONS } from "./catalog-schema.ts";
import { FormerCatalog } from "./former-catalog.ts";

const HASH = "a".repeat(64);
const RANGES = Array.from({ length: 150 }, (_none, n) => ({ offset: n * 10, length: n, reason: "gzip data damaged" }));
const TIME = "2026-01-02T03:04:05Z";
const signal = AbortSignal.timeout(60_000);

/** As the first version left it. */
function firstVersion(file: string): void {
  using database = openForWriting(file, MIGRATIONS.slice(0, 1));
  database.exec("INSERT INTO collections (name) VALUES ('web')");
  const insert = database.prepare(
    `INSERT INTO blobs (collection, hash, filename, size, format, compression, records, captures, damaged, reason,
     received_at, first_id, last_id) VALUES (1, ?, 'a.warc.gz', 2000, 'warc', 'gzip', 1, 0, ?, NULL, '${TIME}', 1, 0)`,
  );
  insert.run(HASH, JSON.stringify(RANGES));
  insert.run("b".repeat(64), "[]");
}

test("a catalog of the first version is taken over: sums of damage are there, digests are not known", async () => {
  await using dir = await tempDir("first");
  const files = catalogFiles(dir.path);
  firstVersion(files.database);
  const index = new CaptureIndex({ files, readers: 1, onDamage: () => {} });
  await index.open(signal);
  const sums = {
    format: "warc",
    damagedRanges: 150,
    damagedBytes: (149 * 150) / 2,
    digests: undefined,
    createdSeconds: undefined,
  };
  const one = await index.read("blob", { collection: "web", hash: HASH }, signal);
  expect(one).toMatchObject({ ...sums, damaged: RANGES });
  const listed = await index.read("blobs", { collection: "web", before: undefined, limit: 10 }, signal);
  expect(listed).toMatchObject([
    { damaged: [], damagedRanges: 0, damagedBytes: 0 },
    { ...sums, damaged: RANGES.slice(0, 100) },
  ]);
  await index.close();
});

test("a rebuild can ask a catalog of the first version", async () => {
  await using dir = await tempDir("former");
  const { database } = catalogFiles(dir.path);
  firstVersion(database);
  using former = new FormerCatalog(database);
  expect(former.entriesOf(HASH)).toEqual([
    { collection: "web", hash: HASH, filename: "a.warc.gz", size: 2000, receivedAt: TIME },
  ]);
});

test("files of a catalog of the first version can be withdrawn; numbers of changes go on behind the last one", async () => {
  await using dir = await tempDir("first");
  const files = catalogFiles(dir.path);
  firstVersion(files.database);
  const index = new CaptureIndex({ files, readers: 1, onDamage: () => {} });
  await index.open(signal);
  const withdrawal = { collection: "web", hash: "b".repeat(64), withdrawnAt: TIME };
  expect(await index.withdraw({ withdrawal, journalEnd: undefined })).toBe(3);
  expect(await index.withdraw({ withdrawal, journalEnd: undefined })).toBeUndefined();
  const { epoch, ...changes } = await index.read("changes", { collection: "web", after: 0, limit: 10 }, signal);
  expect(epoch).toMatch(/^[0-9a-f]{32}$/);
  expect(changes).toMatchObject({
    ...{ lastSequence: 3, items: [{ sequence: 1, hash: HASH }] },
    withdrawn: [{ sequence: 3, collection: "web", hash: "b".repeat(64), withdrawnAt: TIME }],
  });
  expect(await index.read("withdrawnAfter", { sequence: 0, limit: 10 }, signal)).toEqual([{ sequence: 3, blob: 2 }]);
  await index.close();
});
