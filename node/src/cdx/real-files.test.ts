/** Files as archives really have them: every record is there, with its bytes, and what is wrong is said. */
import { randomBytes } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import {
  arcHeader,
  arcRecord,
  httpResponse,
  pageRecord,
  warcinfo,
  warcRecord,
} from "../../../test/testkit/warc-builder.ts";
import { memorySource } from "../warc/byte-source.ts";
import { openPayload } from "../warc/payload.ts";
import type { CaptureRow } from "../warc/record.ts";
import { readRecordAt } from "../warc/record-reader.ts";
import { readCaptures } from "./read-captures.ts";

/** What a file's index and its records, opened again by their places, say. */
async function read(bytes: Uint8Array) {
  const rows: CaptureRow[] = [];
  const source = memorySource(bytes);
  const report = await readCaptures(source, { row: (row) => void rows.push(structuredClone(row)) });
  const bodies: string[] = [];
  for (const { place } of rows) {
    await using opened = await readRecordAt(source, place);
    const parts: Uint8Array[] = [];
    for await (const part of (await openPayload(opened.record)).body) parts.push(part);
    bodies.push(Buffer.concat(parts).toString("latin1"));
  }
  return { rows, report, bodies };
}

const arcLine = (date: string, block: string) =>
  `http://a.example/ 10.0.0.1 ${date} text/html ${block.length}\n${block}\n`;

test.each([
  ["2001010203", "20010102030000"],
  ["200101020304", "20010102030400"],
  ["200101020304051", "20010102030405"],
  ["2001010203040599", "20010102030405"],
  ["200101020304059912", "20010102030405"],
  ["20010102", "20010102000000"],
  ["2001jan02", "00000000000000"],
  ["", "00000000000000"],
])("an ARC record of %j is indexed at %s", async (date, expected) => {
  const block = "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nhello";
  const { rows, report } = await read(Buffer.concat([arcHeader(), Buffer.from(arcLine(date, block))]));
  expect(rows.map(({ timestamp }) => timestamp)).toEqual([expected]);
  expect(report.damaged).toEqual([]);
  expect(report.remarks.length).toBe(expected.startsWith("0000") ? 1 : 0);
});

test("a WARC date with an offset is UTC, one that no calendar has is reported and not made up", async () => {
  const page = (date: string) => warcRecord({ uri: "http://a.example/", date, block: httpResponse() });
  const dates = ["2020-05-05T05:05:05+02:00", "Tue, 05 May 2020 05:05:05 GMT", "2020-44-62T00:00:00Z"];
  const { rows, report } = await read(Buffer.concat(dates.map(page)));
  expect(rows.map(({ timestamp }) => timestamp)).toEqual(["20200505030505", "20200505050505", "00000000000000"]);
  expect(report.remarks).toMatchObject([
    { type: "response", uri: "http://a.example/", text: 'date cannot be read: "2020-44-62T00:00:00Z"' },
  ]);
});

test.each(
  [2, 4, 5, 8, 12].flatMap((extra) => (["none", "gzip", "zstd"] as const).map((form) => [extra, form] as const)),
)("a last record whose length is %i bytes too large is kept and flagged (%s)", async (extra, form) => {
  const block = httpResponse({ body: "the last page" });
  const fields = { "Content-Length": String(block.length + extra) };
  const last = warcRecord({ uri: "http://a.example/last", block, fields });
  const compress = { none: (bytes: Buffer) => bytes, gzip: gzipSync, zstd: zstdCompressSync }[form] as (
    bytes: Buffer,
  ) => Buffer;
  const { rows, report, bodies } = await read(
    Buffer.concat([pageRecord("http://a.example/"), last].map((record) => compress(record))),
  );
  expect(rows.map(({ url }) => url)).toEqual(["http://a.example/", "http://a.example/last"]);
  expect(bodies[1]?.trimEnd()).toBe("the last page");
  expect(report.damaged.length + report.remarks.length).toBeGreaterThan(0);
});

const PAGES = ["one", "two", "three", "four"].map((name) => `http://a.example/${name}`);
const BODIES = PAGES.map((_page, at) => `${at} `.repeat(500 * (at + 1)));
const ALL = Buffer.concat([warcinfo(), ...PAGES.map((page, at) => pageRecord(page, BODIES[at]))]);

/** The whole file in members that end after so many bytes. */
function gzipEvery(bytes: Uint8Array, memberBytes: number): Buffer {
  const members: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += memberBytes) members.push(gzipSync(bytes.subarray(at, at + memberBytes)));
  return Buffer.concat(members);
}

test.each([7, 100, 333, 1_000, 2_500, 4_000, 7_000])(
  "gzip members of %i bytes, wherever records end, lose nothing",
  async (memberBytes) => {
    const { rows, report, bodies } = await read(gzipEvery(ALL, memberBytes));
    expect(rows.map(({ url }) => url)).toEqual(PAGES);
    expect(bodies).toEqual(BODIES);
    expect(report).toMatchObject({ damaged: [], digests: { mismatched: 0 } });
  },
);

test("records too large to hold over several members lose nothing", async () => {
  const large = randomBytes(3 << 20).toString("latin1");
  const records = [pageRecord(PAGES[0] ?? "", Buffer.from(large, "latin1")), pageRecord(PAGES[1] ?? "", "small")];
  const { rows, bodies, report } = await read(gzipEvery(Buffer.concat(records), 1_300_000));
  expect(rows.map(({ url }) => url)).toEqual(PAGES.slice(0, 2));
  expect(bodies[0] === large).toBe(true);
  expect(bodies[1]).toBe("small");
  expect(report).toMatchObject({ damaged: [], digests: { mismatched: 0 } });
});

test("a member that is cut inside a record costs that record and not the ones behind", async () => {
  const [first, second, third] = PAGES.map((page, at) => pageRecord(page, BODIES[at]));
  const members = [first?.subarray(0, 700), second, third].map((bytes) => gzipSync(bytes ?? ""));
  const { rows, report } = await read(Buffer.concat(members));
  expect(rows.map(({ url }) => url)).toEqual(PAGES.slice(1, 3));
  expect(report.damaged).toMatchObject([{ offset: 0, length: members[0]?.length }]);
});

test.each([
  ["gzip, then plain", [true, true, false, false]],
  ["plain, then gzip", [false, false, true, true]],
  ["one and the other in turn", [true, false, true, false]],
])("%s: all records are there", async (_name, zipped) => {
  const records = PAGES.map((page, at) => pageRecord(page, BODIES[at]));
  const { rows, report, bodies } = await read(
    Buffer.concat(records.map((record, at) => (zipped[at] === true ? gzipSync(record) : record))),
  );
  expect(rows.map(({ url }) => url)).toEqual(PAGES);
  expect(bodies).toEqual(BODIES);
  expect(report.damaged).toEqual([]);
});

test.each([
  ["doubled carriage returns", "HTTP/1.1 200 OK\r\r\nContent-Type: text/html\r\r\n\r\r\nhello"],
  ["a 100 before", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nhello"],
  [
    "a 103 and a 100 before",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nhello",
  ],
])("an HTTP head with %s is read", async (_name, block) => {
  const { rows, bodies } = await read(warcRecord({ uri: "http://a.example/", block }));
  expect(rows).toMatchObject([{ status: 200, mime: "text/html" }]);
  expect(bodies).toEqual(["hello"]);
});

test("a version line in lower case is one", async () => {
  const lower = (record: Buffer) => Buffer.from(record.toString("latin1").replace(/^WARC/, "warc"), "latin1");
  const records = PAGES.map((page, at) => lower(pageRecord(page, BODIES[at])));
  expect((await read(Buffer.concat(records))).rows.map(({ url }) => url)).toEqual(PAGES);
  expect((await read(gzipSync(Buffer.concat(records)))).rows.map(({ url }) => url)).toEqual(PAGES);
});

test.each(["<html><title>t</title>", "GET it while it lasts", "HELLO world"])(
  "an ARC record without an HTTP head has the type of its line, and all its bytes: %s",
  async (body) => {
    const { rows, bodies } = await read(Buffer.concat([arcHeader(), arcRecord("http://a.example/", body)]));
    expect(rows).toMatchObject([{ mime: "text/html", status: undefined }]);
    expect(bodies).toEqual([body]);
  },
);

test("white space and controls in a URL are escaped, as a browser does", async () => {
  const { rows } = await read(warcRecord({ uri: "http://a.example/a b\u0001\tc ", block: httpResponse() }));
  expect(rows).toMatchObject([{ url: "http://a.example/a%20b%01c" }]);
});

test("every digest that does not match or cannot be checked names its record", async () => {
  const wrong = { "WARC-Payload-Digest": `sha1:${"A".repeat(32)}` };
  const unknown = { "WARC-Payload-Digest": "blake9:00" };
  const page = (uri: string, fields: Readonly<Record<string, string>>) =>
    warcRecord({ uri, block: httpResponse(), fields });
  const { report } = await read(
    Buffer.concat([page("http://a.example/wrong", wrong), page("http://a.example/unknown", unknown)]),
  );
  expect(report.remarks).toMatchObject([
    { uri: "http://a.example/wrong", text: "payload digest does not match" },
    { uri: "http://a.example/unknown", text: expect.stringContaining("payload digest blake9:00") as string },
  ]);
});
