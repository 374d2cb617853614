import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { httpResponse, pageRecord, warcRecord } from "../../../test/testkit/warc-builder.ts";
import { memorySource } from "../warc/byte-source.ts";
import type { CaptureRow } from "../warc/record.ts";
import { readCaptures } from "./read-captures.ts";

const URI = "http://example.com/large";

const request = (fields: Readonly<Record<string, string>>) =>
  warcRecord({ type: "request", uri: URI, block: "GET /large HTTP/1.1\r\nHost: example.com\r\n\r\n", fields });
const response = (fields: Readonly<Record<string, string>>, body: Uint8Array) =>
  warcRecord({ uri: URI, block: httpResponse({ body }), fields });

async function rowsOf(members: readonly Uint8Array[]): Promise<readonly CaptureRow[]> {
  const rows: CaptureRow[] = [];
  // A row is written down when it comes: what is filled in later is lost.
  await readCaptures(memorySource(Buffer.concat(members)), { row: (row) => void rows.push(structuredClone(row)) });
  return rows;
}

const FIRST = { "WARC-Record-ID": "<urn:uuid:1>" };
const SECOND = { "WARC-Record-ID": "<urn:uuid:2>", "WARC-Concurrent-To": "<urn:uuid:1>" };
const LARGE = randomBytes(2 << 20);

test.each([
  ["its request, as GNU wget writes them", [request(FIRST), response(SECOND, LARGE)], 1],
  ["nothing", [response(FIRST, LARGE)], 0],
])("a response too large to hold has the length of its member behind %s", async (_name, records, at) => {
  const members = [...records, pageRecord("http://example.com/next")].map((record) => gzipSync(record));
  const rows = await rowsOf(members);
  expect(rows.map(({ place }) => place.length)).toEqual(members.slice(at).map((member) => member.length));
  expect(await rowsOf(members.slice(0, -1))).toEqual(rows.slice(0, -1));
});

test("a request before and a request behind go to their own response", async () => {
  const post = (fields: Readonly<Record<string, string>>, body: string) =>
    warcRecord({
      type: "request",
      uri: URI,
      block: `POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n${body}`,
      fields,
    });
  const small = Buffer.from("small");
  const ids = (id: string, to: string) => ({
    "WARC-Record-ID": `<urn:uuid:${id}>`,
    ...(to === "" ? {} : { "WARC-Concurrent-To": `<urn:uuid:${to}>` }),
  });
  const records = [
    post(ids("1", ""), "a=1"),
    response(ids("2", "1"), small),
    post(ids("3", "2"), "b=2"),
    response(ids("4", ""), small),
    post(ids("5", "4"), "c=3"),
    response(ids("6", ""), small),
  ];
  const rows = await rowsOf(records.map((record) => gzipSync(record)));
  expect(rows.map(({ requestBody }) => requestBody)).toEqual(["a=1", "c=3", undefined]);
});
