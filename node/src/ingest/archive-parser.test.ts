import { mkdir, open, stat, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { httpResponse, pageRecord, warcRecord } from "../../../test/testkit/warc-builder.ts";
import { CaptureIndex } from "../cdx/capture-index.ts";
import { catalogFiles } from "../cdx/catalog-calls.ts";
import { createFileBlobStore, incomingFolder } from "../storage/file-blob-store.ts";
import { ArchiveParser } from "./archive-parser.ts";
import { createIngestService } from "./ingest-service.ts";
import { createIngestMetrics } from "./metrics.ts";

const LIMIT_MS = 4_000;
const OTHERS_MS = 60_000;
/** A record of nothing but a hole: no machine hashes it within the limit. */
const ENDLESS_BYTES = 64 * 1024 ** 3;
const HASH = "a".repeat(64);
const signal = AbortSignal.timeout(60_000);

async function openArchive(dataDir: string) {
  const blobs = createFileBlobStore({ dataDir, reserveBytes: 0 });
  await blobs.prepare();
  const index = new CaptureIndex({ files: catalogFiles(dataDir), readers: 1, onDamage: () => {} });
  await index.open(signal);
  const parser = new ArchiveParser(1, (bytes) => (bytes === ENDLESS_BYTES ? LIMIT_MS : OTHERS_MS));
  const ingest = createIngestService({
    ...{ blobs, parser, spoolFolder: incomingFolder(dataDir), metrics: createIngestMetrics(new Registry()) },
    index: {
      commit: (commit) => index.commit(commit),
      held: (collection, hash) => index.read("blob", { collection, hash }, signal),
      holds: (hash) => index.read("holds", hash, signal),
      withdrawn: (collection, hash) => index.read("withdrawn", { collection, hash }, signal),
      withdraw: (withdraw) => index.withdraw(withdraw),
    },
    ...{
      committed: () => {},
      withdrawn: () => {},
      leftBehind: () => {},
      now: () => new Date(),
      monotonicMs: () => performance.now(),
    },
  });
  return { blobs, index, parser, ingest };
}

test("a record that takes too long costs itself and what follows, not the captures before it", async () => {
  await using dir = await tempDir("endless");
  const { blobs, index, parser, ingest } = await openArchive(dir.path);
  const urls = ["a", "b", "c"].map((path) => `http://endless.example.org/${path}`);
  const pages = urls.map((url) => pageRecord(url));
  const fields = { "Content-Length": String(ENDLESS_BYTES) };
  const endless = warcRecord({ uri: "http://endless.example.org/d", block: httpResponse(), digest: false, fields });
  const place = blobs.pathOf(HASH);
  await mkdir(dirname(place), { recursive: true });
  {
    await using file = await open(place, "wx");
    await file.write(Buffer.concat([...pages, endless]));
  }
  // Its thread has started when the limit begins to count.
  await parser.parse({ path: place, spool: join(dir.path, "first.spool") }, (await stat(place)).size);
  await truncate(place, ENDLESS_BYTES);
  await ingest.restore({ collection: "web", hash: HASH, filename: undefined, size: ENDLESS_BYTES }, undefined);
  const rows = await index.read("blobCaptures", { sequence: 1, skip: 0, limit: 10 }, signal);
  // The last one before it waits for its neighbour, which might be its request.
  expect(rows.map((row) => row.url)).toEqual(urls.slice(0, 2));
  const { offset = 0, length = 0 } = rows.at(-1)?.place ?? {};
  const lost = { offset: offset + length, length: ENDLESS_BYTES - offset - length };
  expect(await index.read("blob", { collection: "web", hash: HASH }, signal)).toMatchObject({
    ...{ captures: 2, records: 2, damaged: [{ ...lost, reason: "reading took longer than 4 s" }] },
    reason: "reading took longer than 4 s",
  });
  await parser.close();
  await index.close();
});

test("a file on which its thread ends before it finds anything is damaged from its start", async () => {
  await using dir = await tempDir("gone");
  const parser = new ArchiveParser(1);
  const outcome = await parser.parse({ path: `${dir.path}/none`, spool: `${dir.path}/spool` }, 5);
  expect(outcome).toMatchObject({ kind: "unreadable", captures: 0, readBytes: 0 });
  await parser.close();
});
