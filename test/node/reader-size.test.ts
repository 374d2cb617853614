/** Size is no matter: a long file of many records, and one huge record, through `warc check` in little memory. */
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip, gzipSync } from "node:zlib";
import { expect, type TestContext, test } from "vitest";
import { tempDir } from "../testkit/temp-dir.ts";
import { httpResponse, pageRecord, warcRecord } from "../testkit/warc-builder.ts";
import { checkFile } from "../testkit/warc-program.ts";

const FULL = process.env["ARCHIVE_TEST_FULL"] === "1";
const STREAM_BYTES = (FULL ? 20 : 1) * 2 ** 30;
const RECORD_BYTES = (FULL ? 5120 : 512) * 2 ** 20;
const MAX_RSS_BYTES = 150e6;
const TIMEOUT_MS = FULL ? 7_200_000 : 600_000;
const MIB = 2 ** 20;

async function needDisk(context: TestContext, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(tmpdir());
  if (bavail * bsize < bytes * 1.2) context.skip(`needs ${Math.round(bytes / 1e9)} GB in ${tmpdir()}`);
}

/** Pages of 1 kB to 260 kB: half text that compresses well, half bytes that do not. */
function members(): readonly Buffer[] {
  return Array.from({ length: 400 }, (_, index) => {
    const size = 1024 + ((index * 7919) % 260_000);
    const body = index % 2 === 0 ? randomBytes(size) : "a line of text that repeats\n".repeat(size / 28);
    return gzipSync(pageRecord(`http://example.com/${index}`, body), { level: 1 });
  });
}

async function writeMany(path: string): Promise<number> {
  const parts = members();
  let records = 0;
  function* stream(): Generator<Buffer> {
    for (let written = 0; written < STREAM_BYTES; records++) {
      const part = parts[records % parts.length] ?? Buffer.alloc(0);
      written += part.length;
      yield part;
    }
  }
  await pipeline(stream(), createWriteStream(path, { highWaterMark: 4 * MIB }));
  return records;
}

async function writeOne(path: string, compressed: boolean): Promise<void> {
  const block = randomBytes(MIB);
  const head = httpResponse({ body: "" });
  const record = warcRecord({
    uri: "http://example.com/huge",
    block: head,
    digest: false,
    fields: { "Content-Length": String(head.length + RECORD_BYTES) },
  });
  function* stream(): Generator<Buffer> {
    yield record.subarray(0, record.length - 4);
    for (let written = 0; written < RECORD_BYTES; written += MIB) yield block;
    yield record.subarray(record.length - 4);
  }
  const file = createWriteStream(path);
  await (compressed ? pipeline(stream(), createGzip({ level: 1 }), file) : pipeline(stream(), file));
}

test(
  `a file of ${STREAM_BYTES / MIB} MiB is checked below ${MAX_RSS_BYTES / 1e6} MB of memory`,
  async (context) => {
    await needDisk(context, STREAM_BYTES);
    await using folder = await tempDir("size");
    const path = join(folder.path, "many.warc.gz");
    const records = await writeMany(path);
    const { line, run } = await checkFile(path, context.signal);
    expect(run.exitCode).toBe(0);
    expect(line).toMatchObject({ records, damaged: [], digests: { verified: records, mismatched: 0 } });
    console.log(`${records} records, ${line.bytes} bytes: at most ${Math.round(run.maxRssBytes / 1e6)} MB`);
    expect(run.maxRssBytes).toBeLessThan(MAX_RSS_BYTES);
  },
  TIMEOUT_MS,
);

test.each([
  ["plain", false],
  ["gzipped", true],
])(
  `a record of ${RECORD_BYTES / MIB} MiB, %s, is checked below ${MAX_RSS_BYTES / 1e6} MB of memory`,
  { timeout: TIMEOUT_MS },
  async (name, compressed) => {
    await using folder = await tempDir("size");
    const path = join(folder.path, compressed ? "one.warc.gz" : "one.warc");
    await writeOne(path, compressed);
    const { line, run } = await checkFile(path, AbortSignal.timeout(TIMEOUT_MS));
    expect(run.exitCode).toBe(0);
    expect(line).toMatchObject({ records: 1, types: { response: 1 }, damaged: [] });
    console.log(`${name}: ${line.bytes} bytes: at most ${Math.round(run.maxRssBytes / 1e6)} MB`);
    expect(run.maxRssBytes).toBeLessThan(MAX_RSS_BYTES);
  },
);
