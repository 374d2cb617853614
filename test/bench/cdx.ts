/**
 * Bench `cdx`: exact look-ups among a million captures: in process, over HTTPS, beside the bare SQLite statement; and one
 * batch of a large domain, from its middle on.
 * `BENCH_CDX_CAPTURES` sets how many, `BENCH_CDX_DIR` keeps the data folder for another run.
 */
import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { CaptureIndex } from "../../node/src/cdx/capture-index.ts";
import { SpoolWriter } from "../../node/src/cdx/capture-spool.ts";
import { catalogFiles } from "../../node/src/cdx/catalog-calls.ts";
import { surt } from "../../node/src/cdx/surt.ts";
import { openForReading } from "../../node/src/storage/database.ts";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { NodeArchive } from "../testkit/uploads.ts";
import { percentile, table } from "./table.ts";

const CAPTURES = Number(process.env["BENCH_CDX_CAPTURES"] ?? 1_000_000);
const PER_FILE = 50_000;
const LOOKUPS = 2_000;
/** A large odd step visits URLs all over the index. */
const STEP = 7_919;
const BATCHES = 100;
const BATCH_ROWS = 1_000;
const CALL_MS = 60_000;

const urlOf = (id: number): string => `https://host${id % 5_000}.example.org/path/${id}/page.html?id=${id}`;

export async function run(): Promise<void> {
  await using dir = await tempDir("bench-cdx");
  const dataDir = process.env["BENCH_CDX_DIR"] ?? dir.path;
  await mkdir(dataDir, { recursive: true });
  const index = new CaptureIndex({ files: catalogFiles(dataDir), readers: 2, onDamage: () => {} });
  await index.open(AbortSignal.timeout(60_000));
  await fill(index, dataDir);
  const urls = Array.from({ length: LOOKUPS }, (_none, turn) => urlOf((turn * STEP) % CAPTURES));
  const inProcess = await times(urls, async (url) => {
    const range = { keyFrom: surt(url), keyTo: undefined, timeFrom: undefined, timeTo: undefined, descending: false };
    let found = 0;
    for await (const batch of index.scan("default", range, AbortSignal.timeout(60_000))) found += batch.length;
    return found;
  });
  const middle = await times(urls.slice(0, BATCHES), (url) => batchAfter(index, surt(url)));
  await index.close();
  using database = openForReading(catalogFiles(dataDir).database);
  const statement = database.prepare("SELECT * FROM captures WHERE collection = 1 AND urlkey = ? ORDER BY timestamp");
  const bare = await times(urls, (url) => statement.all(surt(url)).length);
  await using node = await startArchiveNode({ dataDir });
  await using archive = new NodeArchive(node);
  const overHttps = await times(urls, async (url) => (await archive.cdx(url)).length);
  const row = (name: string, values: readonly number[]) => [
    name,
    ...[0.5, 0.95, 0.99].map((p) => percentile(values, p)),
  ];
  const rows = [
    row("SQLite statement", bare),
    row("capture index", inProcess),
    row("GET /cdx over HTTPS", overHttps),
    row(`${BATCH_ROWS} captures from the middle of a domain with all`, middle),
  ];
  console.log(table([`${CAPTURES} captures, ms`, "p50", "p95", "p99"], rows));
}

/** As a long answer goes on: behind a capture that is anywhere in the domain. */
async function batchAfter(index: CaptureIndex, urlkey: string): Promise<number> {
  const range = {
    ...{ keyFrom: "org,example,", keyTo: "org,example-", timeFrom: undefined, timeTo: undefined, descending: false },
  };
  const after = { urlkey, timestamp: 0, id: 0 };
  const input = { collection: "default", range, after, limit: BATCH_ROWS };
  const { captures } = await index.read("scan", input, AbortSignal.timeout(CALL_MS));
  return captures[0]?.urlkey === urlkey ? 1 : 0;
}

async function fill(index: CaptureIndex, folder: string): Promise<void> {
  const { captures: held } = await index.read("count", undefined as never, AbortSignal.timeout(60_000));
  for (let file = held / PER_FILE; file < CAPTURES / PER_FILE; file += 1) {
    const spool = join(folder, `spool-${file}`);
    writeSpool(spool, file * PER_FILE, PER_FILE);
    const hash = createHash("sha256").update(String(file)).digest("hex");
    const entry = { collection: "default", hash, filename: undefined, size: 1, receivedAt: "2026-01-01T00:00:00Z" };
    const reading = { format: "warc", compression: "gzip", records: PER_FILE, damaged: [] } as const;
    await index.commit({
      entry,
      reading: { ...reading, digests: undefined, reason: undefined },
      spool,
      captures: PER_FILE,
      journalEnd: undefined,
    });
    await rm(spool);
  }
}

function writeSpool(path: string, from: number, count: number): void {
  using spool = new SpoolWriter(path);
  for (let id = from; id < from + count; id += 1) {
    const url = urlOf(id);
    spool.write({
      ...{ urlkey: surt(url), timestamp: "20260102030405", url, mime: "text/html", status: 200 },
      ...{ digest: `sha1:${String(id).padStart(32, "A")}`, place: { offset: id * 1000, length: 900, skip: 0 } },
      ...{ type: "response", method: undefined, requestBody: undefined, redirect: undefined },
    });
  }
}

/** Milliseconds of each look-up; every one must find its capture. */
async function times(urls: readonly string[], find: (url: string) => Promise<number> | number): Promise<number[]> {
  const taken: number[] = [];
  for (const url of urls) {
    const begun = performance.now();
    if ((await find(url)) !== 1) throw new Error(`not found: ${url}`);
    taken.push(performance.now() - begun);
  }
  return taken;
}
