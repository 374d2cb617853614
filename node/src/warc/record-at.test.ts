import { randomBytes } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { pageRecord } from "../../../test/testkit/warc-builder.ts";
import { memorySource, STREAM_BYTES } from "./byte-source.ts";
import { ONE_RECORD } from "./members.ts";
import type { ArchiveRecord, ByteSource } from "./record.ts";
import { readRecordAt } from "./record-reader.ts";

const FIRST = { offset: 0, skip: 0 };
const MIB = 1 << 20;

/** A source that tells how much is asked of it at a time. */
function watched(bytes: Uint8Array, onRead: (length: number) => void): ByteSource {
  const source = memorySource(bytes);
  return {
    size: source.size,
    read: (position, length) => {
      onRead(length);
      return source.read(position, length);
    },
  };
}

async function sizesOf(record: ArchiveRecord): Promise<readonly number[]> {
  const sizes: number[] = [];
  for await (const chunk of record.block.chunks()) sizes.push(chunk.length);
  return sizes;
}

test.each([
  ["gzip", gzipSync],
  ["zstd", zstdCompressSync],
])(
  "one record of a large %s member is decoded piece by piece, not in one go on the caller's thread",
  async (_n, pack) => {
    for (const body of [Buffer.alloc(4 * MIB, "text "), randomBytes(4 * MIB)]) {
      const asked: number[] = [];
      const source = watched(pack(pageRecord("http://example.com/", body)), (length) => asked.push(length));
      await using opened = await readRecordAt(source, FIRST);
      expect(opened.record.block.bytes).toBeUndefined();
      const sizes = await sizesOf(opened.record);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(opened.record.block.length);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(STREAM_BYTES);
      expect(Math.max(...asked)).toBeLessThanOrEqual(ONE_RECORD.stored);
    }
  },
);

/** One wrong byte in the sum that closes a gzip member. */
function withWrongSum(member: Buffer): Buffer {
  const wrong = Buffer.from(member);
  wrong[wrong.length - 8] = (wrong.at(-8) ?? 0) ^ 1;
  return wrong;
}

test("a record whose member has a wrong sum is refused at once when it is held, at its end when it is not", async () => {
  const small = withWrongSum(gzipSync(pageRecord("http://example.com/", randomBytes(MIB / 2))));
  await expect(readRecordAt(memorySource(small), FIRST)).rejects.toMatchObject({ code: "NO_RECORD" });
  const large = gzipSync(pageRecord("http://example.com/", randomBytes(2 * MIB)));
  await using opened = await readRecordAt(memorySource(withWrongSum(large)), FIRST);
  await expect(sizesOf(opened.record)).rejects.toMatchObject({ code: "BLOCK_DAMAGED" });
  await using cut = await readRecordAt(memorySource(large.subarray(0, -1)), FIRST);
  expect(await sizesOf(cut.record)).not.toEqual([]);
});

test("the way to a record deep inside a member ends with the signal", async () => {
  const before = pageRecord("http://example.com/before", randomBytes(8 * MIB));
  const bytes = gzipSync(Buffer.concat([before, pageRecord("http://example.com/wanted")]));
  const place = { offset: 0, skip: before.length };
  await using found = await readRecordAt(memorySource(bytes), place, AbortSignal.timeout(60_000));
  expect(found.record.targetUri).toBe("http://example.com/wanted");
  const late = new AbortController();
  let reads = 0;
  const source = watched(bytes, () => {
    reads += 1;
    if (reads === 5) late.abort(new Error("too late"));
  });
  await expect(readRecordAt(source, place, late.signal)).rejects.toThrow("too late");
  expect(reads).toBeLessThan(20);
});
