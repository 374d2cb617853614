import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pageRecord } from "../../../test/testkit/warc-builder.ts";
import { memorySource, SourceWindow } from "./byte-source.ts";
import { gzipCodec } from "./gzip-members.ts";
import { openGzipRun } from "./gzip-run.ts";
import { readMemberRecords } from "./member-records.ts";
import { type MemberCodec, RUN_BYTES, WHOLE_FILE } from "./members.ts";
import type { ByteSource } from "./record.ts";

/** The same codec without runs: what every outcome is compared with. */
const { openRun: _without, ...ONE_BY_ONE } = gzipCodec;

const MEMBER = gzipSync("one member");
const FALSE_START = Buffer.from("1f8b0800000000000003", "hex");

/** What ends in the length of `MEMBER`'s content, as its own trailer does. */
function lengthOfMember(filler: Uint8Array): Buffer {
  return Buffer.concat([filler, Buffer.of(10, 0, 0, 0)]);
}

function storedMagic(): Buffer {
  return gzipSync(Buffer.concat([lengthOfMember(Buffer.alloc(9, "x")), FALSE_START]), { level: 0 });
}

function wrongCrc(member: Uint8Array): Buffer {
  return Buffer.from(member).fill(0, member.length - 8, member.length - 4);
}

describe("a run", () => {
  test("is all members but the last, whose end no other one marks", () => {
    const run = openGzipRun(Buffer.concat([MEMBER, MEMBER, MEMBER]));
    expect(run.members.map(({ bytes, length }) => [Buffer.from(bytes).toString(), length])).toEqual([
      ["one member", MEMBER.length],
      ["one member", MEMBER.length],
    ]);
    expect(run.length).toBe(2 * MEMBER.length);
  });

  test.each([
    ["a magic inside a member", [gzipSync(lengthOfMember(FALSE_START), { level: 0 }), MEMBER, MEMBER]],
    ["an empty member that a magic splits", [gzipSync(""), FALSE_START, MEMBER, MEMBER]],
    ["zeros behind a member", [MEMBER, MEMBER, Buffer.alloc(4), MEMBER]],
    ["a magic inside a member, behind a length", [storedMagic(), MEMBER, MEMBER]],
    ["bytes behind a member that state its length", [MEMBER, MEMBER, lengthOfMember(Buffer.from("xx")), MEMBER]],
    ["zeros behind a member that state its length", [MEMBER, MEMBER, lengthOfMember(Buffer.alloc(2)), MEMBER]],
    ["half a member that states a length", [MEMBER, MEMBER.subarray(0, 12), lengthOfMember(Buffer.alloc(0)), MEMBER]],
    ["a wrong check sum", [MEMBER, wrongCrc(MEMBER), MEMBER]],
    ["a member of more than a run may hold", [gzipSync(Buffer.alloc(2 << 20)), MEMBER, MEMBER]],
  ])("is not made of %s", (_name, parts) => {
    expect(openGzipRun(Buffer.concat(parts)).members).toEqual([]);
  });
});

/** Text, bytes that gzip stores as they are, and records. */
const content = fc.oneof(
  fc.constant(Buffer.alloc(0)),
  fc.nat(400).map((size) => Buffer.alloc(size, "text ")),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.concat([bytes, FALSE_START, bytes])),
  fc.webUrl().map((uri) => pageRecord(uri)),
  fc.webUrl().map((uri) => Buffer.concat([pageRecord(uri), pageRecord(uri)])),
  fc.nat(9).map((lines) => Buffer.concat([pageRecord("http://example.com/"), Buffer.alloc(lines, "stray\n")])),
);
const member = fc.tuple(content, fc.constantFrom(0, 1, 9)).map(([bytes, level]) => gzipSync(bytes, { level }));
const between = fc.oneof(
  { weight: 12, arbitrary: fc.constant(Buffer.alloc(0)) },
  { weight: 1, arbitrary: fc.nat(9).map((size) => Buffer.alloc(size)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constant(FALSE_START) },
);
const piece = fc.tuple(member, between).map((parts) => Buffer.concat(parts));
const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 255 })), {
  maxLength: 2,
});
const file = fc.tuple(fc.array(piece, { minLength: 1, maxLength: 12 }), damage).map(([pieces, flips]) => {
  const bytes = Buffer.concat(pieces);
  for (const [part, mask] of flips) {
    const at = Math.floor(part * bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ mask;
  }
  return bytes;
});

/** Everything a reader of the file sees. */
async function entriesOf(source: ByteSource, codec: MemberCodec, windowBytes: number): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  for await (const group of readMemberRecords(new SourceWindow(source, windowBytes), codec, 0)) {
    for (const entry of group) {
      if (entry.kind === "damage") {
        seen.push(entry.damage);
        continue;
      }
      const { block, place, ...facts } = entry.record;
      const parts: Uint8Array[] = [];
      for await (const part of block.chunks()) parts.push(part);
      seen.push({ ...facts, place: { ...place }, block: Buffer.concat(parts).toString("latin1") });
    }
  }
  return seen;
}

/** Gives a few bytes at a time, as sockets do. */
function haltingSource(bytes: Uint8Array, atMost: number): ByteSource {
  return {
    size: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + Math.min(length, atMost)),
  };
}

test("with runs or one by one, sound or damaged, a file gives the same entries", async () => {
  await fc.assert(
    fc.asyncProperty(file, fc.integer({ min: 1, max: 5000 }), async (bytes, atMost) => {
      const single = await entriesOf(memorySource(bytes), ONE_BY_ONE, WHOLE_FILE.stored);
      expect(await entriesOf(haltingSource(bytes, atMost), gzipCodec, RUN_BYTES)).toEqual(single);
    }),
    { numRuns: 300 },
  );
});

test("the members of a run are those that are there", () => {
  fc.assert(
    fc.property(
      fc.array(
        content.filter((bytes) => bytes.length > 0),
        { minLength: 3, maxLength: 12 },
      ),
      (contents) => {
        const members = contents.map((bytes) => gzipSync(bytes, { level: 9 }));
        const run = openGzipRun(Buffer.concat(members));
        if (run.members.length === 0) return;
        expect(run.members.map(({ bytes, length }) => [Buffer.from(bytes), length])).toEqual(
          contents.slice(0, run.members.length).map((bytes, index) => [bytes, members[index]?.length]),
        );
      },
    ),
  );
});

test("runs and the window's edges: a long file of small members loses nothing", async () => {
  const members = Array.from({ length: 3000 }, (_, index) =>
    gzipSync(pageRecord(`http://example.com/${index}`, `${index} `.repeat(index % 500)), { level: 1 }),
  );
  const bytes = Buffer.concat(members);
  expect(bytes.length).toBeGreaterThan(4 * RUN_BYTES);
  const entries = (await entriesOf(memorySource(bytes), gzipCodec, 3 * RUN_BYTES)) as { place: { offset: number } }[];
  const starts = members.map((_, index) => members.slice(0, index).reduce((sum, { length }) => sum + length, 0));
  expect(entries.map(({ place }) => place.offset)).toEqual(starts);
});
