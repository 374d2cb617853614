/**
 * One damaged byte in a real archive costs at most the record it is in, and a cut the record it falls into; that record's
 * bytes are named.
 */
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { memorySource } from "../../node/src/warc/byte-source.ts";
import { SHORT_BYTES } from "../../node/src/warc/open-record.ts";
import type { DamagedRange } from "../../node/src/warc/record.ts";
import { readArchive } from "../../node/src/warc/record-reader.ts";
import { seededRandom } from "../fuzz/random.ts";
import { fixturePath } from "../testkit/fixtures.ts";
import { crawledByWget, wgetIsThere } from "../testkit/wget-crawl.ts";

const FULL = process.env["ARCHIVE_TEST_FULL"] === "1";
const FLIPS = FULL ? 10_000 : 500;
/** About 12 kB gzipped and 25 kB plain, cut at every byte; or 4 kB and 6 kB, cut here and there. */
const CUT_PAGES = FULL ? 12 : 2;
const CUT_STEP = FULL ? 1 : 7;
/** 10,000 flips read about 10 GB in all. */
const TIMEOUT_MS = 3_600_000;
const PAGES = 300;

interface Reading {
  /** Where each record is and what it is about. */
  readonly records: readonly string[];
  readonly offsets: readonly number[];
  readonly damaged: readonly DamagedRange[];
}

async function read(bytes: Uint8Array): Promise<Reading> {
  const records: string[] = [];
  const offsets: number[] = [];
  const damaged: DamagedRange[] = [];
  for await (const entry of readArchive(memorySource(bytes), AbortSignal.timeout(60_000))) {
    if (entry.kind === "damage") {
      damaged.push(entry.damage);
      continue;
    }
    const { place, type, targetUri, block } = entry.record;
    offsets.push(place.offset);
    records.push(`${place.offset} ${type} ${targetUri} ${block.length}`);
  }
  return { records, offsets, damaged };
}

/** Changes the bits of one byte that `mask` names, and puts them back. */
async function readFlipped(bytes: Buffer, at: number, mask: number): Promise<Reading> {
  const before = bytes[at] ?? 0;
  bytes[at] = before ^ mask;
  const reading = await read(bytes);
  bytes[at] = before;
  return reading;
}

async function proveFlips(bytes: Buffer): Promise<void> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const random = seededRandom(seed);
  const whole = await read(bytes);
  expect(whole.damaged).toEqual([]);
  let lost = 0;
  for (let left = FLIPS; left > 0; left--) {
    const at = random.below(bytes.length);
    // One bit, as memory and disks lose them, or any other value.
    const mask = left % 2 === 0 ? 1 << random.below(8) : 1 + random.below(255);
    const hint = `seed ${seed}, byte ${at}, mask ${mask}`;
    const reading = await readFlipped(bytes, at, mask);
    const index = whole.offsets.findLastIndex((offset) => offset <= at);
    const others = whole.records.toSpliced(index, 1);
    if (reading.records.length === whole.records.length) {
      expect(reading.records, hint).toEqual(whole.records);
      expect(reading.damaged, hint).toEqual([]);
      continue;
    }
    lost++;
    expect(reading.records, hint).toEqual(others);
    const offset = whole.offsets[index] ?? 0;
    const end = whole.offsets[index + 1] ?? bytes.length;
    expect(reading.damaged, hint).toMatchObject([{ offset, length: end - offset }]);
  }
  // Nearly every byte matters to gzip: a flip that costs nothing is the exception.
  expect(lost, `seed ${seed}`).toBeGreaterThan(FLIPS * 0.8);
}

/** @param endMark - bytes at a record's end without which it is complete all the same, and lost with what follows them */
async function proveCuts(bytes: Buffer, endMark: number): Promise<void> {
  const whole = await read(bytes);
  expect(whole.damaged).toEqual([]);
  const ends = [...whole.offsets.slice(1), bytes.length];
  const wrong: string[] = [];
  for (let cut = 1; cut < bytes.length && wrong.length < 10; cut += CUT_STEP) {
    const { records, damaged } = await read(bytes.subarray(0, cut));
    const complete = ends.filter((end) => end - endMark <= cut).length;
    const from = ends[complete - 1] ?? 0;
    // A last record that misses a few bytes of a plain file is kept, and named like one that is lost.
    const isShort = endMark > 0 && (ends[complete] ?? Number.POSITIVE_INFINITY) - endMark - cut <= SHORT_BYTES;
    const kept = isShort ? records.slice(0, complete) : records;
    const isRight =
      records.length <= complete + 1 &&
      kept.join() === whole.records.slice(0, complete).join() &&
      (damaged.length === 0 ? cut <= from : isRest(damaged, { from: from - endMark, upTo: from, end: cut }));
    if (!isRight) wrong.push(`cut at ${cut} of ${bytes.length}: ${records.length} records, ${JSON.stringify(damaged)}`);
  }
  expect(wrong).toEqual([]);
}

/** One range, which begins where a record ended, or at that record's end mark. */
function isRest(
  [range, ...others]: readonly DamagedRange[],
  rest: { readonly from: number; readonly upTo: number; readonly end: number },
): boolean {
  if (range === undefined || others.length > 0) return false;
  const begins = range.offset >= rest.from && range.offset <= rest.upTo;
  return begins && range.offset + range.length === rest.end;
}

test.skipIf(!wgetIsThere())(
  `a crawl of ${CUT_PAGES} pages by GNU wget, gzipped and plain, cut after every ${FULL ? "" : `${CUT_STEP}th `}byte`,
  async () => {
    const bytes = await crawledByWget(CUT_PAGES);
    expect((await read(bytes)).records.length).toBeGreaterThan(CUT_PAGES);
    await proveCuts(bytes, 0);
    await proveCuts(gunzipSync(bytes), 4);
  },
  TIMEOUT_MS,
);

test.skipIf(!wgetIsThere())(
  `${FLIPS} flips of a crawl by GNU wget`,
  async () => {
    const bytes = await crawledByWget(PAGES);
    expect((await read(bytes)).records.length).toBeGreaterThan(PAGES);
    await proveFlips(bytes);
  },
  TIMEOUT_MS,
);

const IANA = fixturePath("pywb/iana.warc.gz");
test.skipIf(IANA === undefined)(
  `${FLIPS} flips of the fixture pywb/iana.warc.gz`,
  async () => {
    const bytes = await readFile(IANA ?? "");
    expect((await read(bytes)).records.length).toBe(343);
    await proveFlips(bytes);
  },
  TIMEOUT_MS,
);
