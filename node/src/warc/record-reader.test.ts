import { randomBytes } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  arcHeader,
  arcRecord,
  gzipEach,
  httpResponse,
  pageRecord,
  warcinfo,
  warcRecord,
  zstdEach,
} from "../../../test/testkit/warc-builder.ts";
import { memorySource } from "./byte-source.ts";
import { WarcError } from "./errors.ts";
import { SHORT_BYTES } from "./open-record.ts";
import type { ArchiveRecord, DamagedRange } from "./record.ts";
import { readArchive, readRecordAt } from "./record-reader.ts";

/** Thousands of readings: on a busy machine they take longer than the usual half minute. */
const EVERY_BYTE_MS = 300_000;

const PAGES = Array.from({ length: 6 }, (_, index) => `http://example.com/${index}`);
const RECORDS = [warcinfo(), ...PAGES.map((uri) => pageRecord(uri, `<p>${uri}</p>${"text ".repeat(index(uri) * 9)}`))];

function index(uri: string): number {
  return Number(uri.at(-1));
}

async function readAll(bytes: Uint8Array) {
  const records: ArchiveRecord[] = [];
  const damaged: DamagedRange[] = [];
  for await (const entry of readArchive(memorySource(bytes), AbortSignal.timeout(20_000))) {
    if (entry.kind === "record") records.push(entry.record);
    else damaged.push(entry.damage);
  }
  return { records, damaged, uris: records.map((record) => record.targetUri).filter((uri) => uri !== undefined) };
}

async function blockOf(record: ArchiveRecord): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of record.block.chunks()) parts.push(part);
  return Buffer.concat(parts);
}

/** End of the k-th piece in a concatenation. */
function ends(pieces: readonly Uint8Array[]): number[] {
  let at = 0;
  return pieces.map((piece) => (at += piece.length));
}

describe("every form of file", () => {
  const forms: [string, Buffer][] = [
    ["plain", Buffer.concat(RECORDS)],
    ["gzip per record", gzipEach(RECORDS)],
    ["gzip around the whole file", gzipSync(Buffer.concat(RECORDS))],
    ["zstd per record", zstdEach(RECORDS)],
    ["zstd around the whole file", zstdCompressSync(Buffer.concat(RECORDS))],
    [
      "bare line feeds",
      Buffer.from(Buffer.concat(RECORDS).toString("latin1").replaceAll("\r\n\r\n\r\n", "\r\n\n\n"), "latin1"),
    ],
  ];
  test.each(forms)("%s: all records, no damage", async (_name, bytes) => {
    const { damaged, uris, records } = await readAll(bytes);
    expect(damaged).toEqual([]);
    expect(uris).toEqual(PAGES);
    expect(records[0]?.type).toBe("warcinfo");
  });

  test.each(forms.slice(0, 5))("%s: every record opens again at its place", async (_name, bytes) => {
    const { records } = await readAll(bytes);
    for (const record of records) {
      await using again = await readRecordAt(memorySource(bytes), record.place);
      expect(again.record.targetUri).toBe(record.targetUri);
      expect(await blockOf(again.record)).toEqual(await blockOf(record));
    }
  });

  test.each([
    ["plain", (parts: Buffer[]) => Buffer.concat(parts)],
    ["gzip", gzipEach],
  ])("ARC, %s", async (_name, join) => {
    const bytes = join([
      arcHeader(),
      arcRecord("http://example.com/a b", httpResponse()),
      arcRecord("dns:example.com", "20260102\nexample.com. 1 IN A 1.2.3.4\n"),
    ]);
    const { records, damaged } = await readAll(bytes);
    expect(damaged).toEqual([]);
    expect(records.map((record) => [record.type, record.targetUri, record.date])).toEqual([
      ["arc_header", "filedesc://test.arc", "20260102030405"],
      ["response", "http://example.com/a b", "20260102030405"],
      ["response", "dns:example.com", "20260102030405"],
    ]);
  });

  test("zstd with a dictionary in the first frame", async () => {
    const dictionary = Buffer.concat(RECORDS.slice(0, 2));
    const head = Buffer.alloc(8);
    head.writeUInt32LE(0x184d2a5d, 0);
    head.writeUInt32LE(dictionary.length, 4);
    const frames = RECORDS.map((record) => zstdCompressSync(record, { dictionary }));
    const { uris, damaged, records } = await readAll(Buffer.concat([head, dictionary, ...frames]));
    expect([uris, damaged]).toEqual([PAGES, []]);
    await using again = await readRecordAt(
      memorySource(Buffer.concat([head, dictionary, ...frames])),
      records[3]?.place ?? { offset: 0, skip: 0 },
    );
    expect(again.record.targetUri).toBe(PAGES[2]);
  });
});

describe("cuts", () => {
  test(
    "a plain file cut at every byte keeps every record that lacks nothing or a few bytes, and names the rest",
    async () => {
      const bytes = Buffer.concat(RECORDS);
      // Complete without its end mark, too: four bytes before the end.
      const complete = ends(RECORDS).map((end) => end - 4);
      const starts = RECORDS.map((record, at) => (ends(RECORDS)[at] ?? 0) - record.length);
      const blocks = RECORDS.map((record, at) => (starts[at] ?? 0) + record.indexOf("\r\n\r\n") + 4);
      for (let cut = 1; cut < bytes.length; cut++) {
        const { records, damaged } = await readAll(bytes.subarray(0, cut));
        const kept = complete.filter((end, at) => end <= cut || (end - cut <= SHORT_BYTES && cut > (blocks[at] ?? 0)));
        expect(records.length, `cut at ${cut}`).toBe(kept.length);
        for (const range of damaged) expect(range.offset + range.length, `cut at ${cut}`).toBe(cut);
        const inside = complete.every((end) => cut < end || cut > end + 4);
        if (inside) expect(damaged.length, `cut at ${cut}`).toBe(1);
      }
    },
    EVERY_BYTE_MS,
  );

  test.each([
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ])(
    "a %s file cut at every byte keeps every complete member and names the rest",
    async (_name, compress) => {
      const members = RECORDS.map((record) => compress(record));
      const bytes = Buffer.concat(members);
      const starts = [0, ...ends(members)];
      for (let cut = 1; cut < bytes.length; cut++) {
        const { records, damaged } = await readAll(bytes.subarray(0, cut));
        const complete = starts.slice(1).filter((end) => end <= cut).length;
        expect(records.length, `cut at ${cut}`).toBe(complete);
        const from = starts[complete] ?? 0;
        const expected = from === cut ? [] : [[from, cut - from]];
        expect(
          damaged.map((range) => [range.offset, range.length]),
          `cut at ${cut}`,
        ).toEqual(expected);
      }
    },
    EVERY_BYTE_MS,
  );

  test("a streamed member that is cut off gives its whole records and an error on the last block", async () => {
    const big = pageRecord("http://example.com/big", randomBytes(9 << 20));
    const bytes = gzipEach([big]).subarray(0, 5 << 20);
    let failure: unknown;
    const damaged: DamagedRange[] = [];
    for await (const entry of readArchive(memorySource(bytes))) {
      if (entry.kind === "damage") damaged.push(entry.damage);
      else failure = await blockOf(entry.record).catch((error: unknown) => error);
    }
    expect(failure).toBeInstanceOf(WarcError);
    expect(failure).toMatchObject({ code: "BLOCK_DAMAGED", details: { reason: "gzip data cut off" } });
    expect(damaged).toEqual([{ offset: 0, length: bytes.length, reason: "gzip data cut off" }]);
  });
});

describe("flips", () => {
  test.each([
    ["gzip", gzipSync],
    ["zstd", (bytes: Uint8Array) => zstdCompressSync(bytes, { params: { 201: 1 } })],
  ])(
    "one flipped byte anywhere in a %s file costs at most its record, and the range is named",
    async (_name, compress) => {
      const members = RECORDS.map((record) => compress(record));
      const bytes = Buffer.concat(members);
      for (let at = 0; at < bytes.length; at++) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
        const { records, damaged } = await readAll(flipped);
        expect(records.length, `byte ${at}`).toBeGreaterThanOrEqual(RECORDS.length - 1);
        if (records.length === RECORDS.length) continue;
        expect(
          damaged.some((range) => range.offset <= at && at < range.offset + range.length),
          `byte ${at}`,
        ).toBe(true);
      }
    },
    EVERY_BYTE_MS,
  );
});

describe("hostile headers", () => {
  const around = (middle: Uint8Array) =>
    Buffer.concat([RECORDS[1] ?? Buffer.alloc(0), middle, RECORDS[2] ?? Buffer.alloc(0)]);
  const withLength = (length: string) =>
    warcRecord({ uri: "http://x/", block: "hello", fields: { "Content-Length": length } });

  test.each([
    ["negative", withLength("-5"), "content-length not a number"],
    ["with a sign", withLength("+5"), "content-length not a number"],
    ["a word", withLength("five"), "content-length not a number"],
    ["beyond 2^53", withLength("99999999999999999999"), "content-length not a number"],
    ["beyond the file", withLength("9007199254740991"), "content-length beyond end of file"],
    ["over the next record", withLength("100"), "content-length beyond next record"],
    ["missing", Buffer.from("WARC/1.0\r\nWARC-Type: response\r\n\r\nhello\r\n\r\n"), "content-length missing"],
    [
      "repeated with another value",
      Buffer.from("WARC/1.0\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello\r\n\r\n"),
      "content-length not a number",
    ],
    [
      "a header of 10 MB",
      Buffer.concat([Buffer.from("WARC/1.0\r\nX: "), Buffer.alloc(10 << 20, "a"), Buffer.from("\r\n\r\n")]),
      "header too long",
    ],
  ])("length %s: its neighbours come back and the range is named", async (_name, middle, reason) => {
    const { uris, damaged } = await readAll(around(middle));
    expect(uris).toEqual(PAGES.slice(0, 2));
    expect(damaged).toEqual([{ offset: RECORDS[1]?.length, length: middle.length, reason }]);
    const gz = await readAll(gzipEach([RECORDS[1] ?? middle, middle, RECORDS[2] ?? middle]));
    expect(gz.uris.filter((uri) => uri !== "http://x/")).toEqual(PAGES.slice(0, 2));
  });

  test("folded, repeated and odd-case fields are read", async () => {
    const text =
      "WARC/0.17\r\nwarc-TYPE: Resource\r\nWARC-target-uri: <http://x/>\r\nX-Long: one\r\n two\r\n\tthree\r\nX-Long: four\r\ncontent-length: 2\r\nContent-Length: 2\r\n\r\nhi\r\n\r\n";
    const { records, damaged } = await readAll(Buffer.from(text));
    expect(damaged).toEqual([]);
    expect(records[0]).toMatchObject({ version: "0.17", type: "resource", targetUri: "http://x/" });
    expect(records[0]?.headers).toContainEqual(["X-Long", "one two three"]);
    expect(records[0]?.headers).toContainEqual(["X-Long", "four"]);
  });

  test("a gzip bomb in a member is streamed, not held", async () => {
    const bomb = gzipSync(warcRecord({ uri: "http://bomb/", block: Buffer.alloc(64 << 20), digest: false }));
    const { uris, damaged } = await readAll(Buffer.concat([bomb, gzipEach(RECORDS)]));
    expect(uris).toEqual(["http://bomb/", ...PAGES]);
    expect(damaged).toEqual([]);
  });

  test("an archive inside a member of an archive is a block, not records", async () => {
    const nested = warcRecord({ type: "resource", uri: "http://x/inner.warc.gz", block: gzipEach(RECORDS) });
    const { records, damaged } = await readAll(gzipEach([nested, RECORDS[1] ?? nested]));
    expect([records.length, damaged]).toEqual([2, []]);
  });

  test("a zstd frame that asks for a huge window is refused", async () => {
    const frame = Buffer.from("28b52ffd00b8010000aabb", "hex"); // window of 2^33 bytes
    const { uris, damaged } = await readAll(
      Buffer.concat([zstdEach(RECORDS.slice(0, 2)), frame, zstdEach(RECORDS.slice(2))]),
    );
    expect(uris).toEqual(PAGES);
    expect(damaged.map((range) => range.reason)).toEqual(["zstd window too large"]);
  });
});

test.each([
  ["empty", Buffer.alloc(0), 0],
  ["zeros", Buffer.alloc(100_000), 1],
  ["only gzip magic", Buffer.alloc(30_000, Buffer.from("1f8b0800", "hex")), 1],
  ["only record starts", Buffer.alloc(30_000, "\nWARC/1.0\r\n"), undefined],
])("a file of %s ends with damage and no record", async (_name, bytes, ranges) => {
  const { records, damaged } = await readAll(bytes);
  expect(records).toEqual([]);
  if (ranges !== undefined) expect(damaged.length).toBe(ranges);
  expect(damaged.reduce((sum, range) => sum + range.length, 0)).toBe(bytes.length - (ranges === undefined ? 1 : 0));
});

test("places that hold no record are refused", async () => {
  const bytes = gzipEach(RECORDS);
  await expect(readRecordAt(memorySource(bytes), { offset: 7, skip: 0 })).rejects.toMatchObject({ code: "NO_RECORD" });
  await expect(readRecordAt(memorySource(bytes), { offset: 0, skip: 1e6 })).rejects.toMatchObject({
    code: "NO_RECORD",
  });
});
