/** What a node says of files that are damaged, or whose digests do not match: in its answer, its lists, metrics and log. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { NodeArchive, sha256Of } from "../testkit/uploads.ts";
import { httpResponse, pageRecord, warcRecord } from "../testkit/warc-builder.ts";

const WARCS = "/api/v1/collections/default/warcs";
let node: ArchiveNodeProcess;
let archive: NodeArchive;

beforeAll(async () => {
  node = await startArchiveNode({ web: true, metrics: true });
  archive = new NodeArchive(node);
});
afterAll(async () => {
  await archive[Symbol.asyncDispose]();
  await node.stop();
});

const page = (word: string, path: string) => `<html><title>${word}</title><p>${word} at ${path}</p></html>`;
const url = (kind: string, path: string) => `http://${kind}.example.org/${path}`;

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${node.metricsUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)`, "m").exec(text)?.[1]);
}

test("a damaged file is stored as it is: its lost range is in the answer, the metrics and the log, the rest is found", async () => {
  const pages = ["a", "b", "c", "d", "e"].map((path) => url("damaged", path));
  const members = pages.map((uri, index) => gzipSync(pageRecord(uri, page("kinddamaged", `${index}`))));
  const offset = members.slice(0, 2).reduce((sum, member) => sum + member.length, 0);
  const length = members[2]?.length ?? 0;
  const bytes = Buffer.concat(members);
  bytes[offset + Math.floor(length / 2)] = 0xff ^ (bytes[offset + Math.floor(length / 2)] ?? 0);
  const hash = sha256Of(bytes);
  const damaged = [{ offset, length, reason: "gzip data damaged" }];
  const names = ["archivestream_ingest_damaged_ranges_total", "archivestream_ingest_damaged_bytes_total"];
  const before = await Promise.all(names.map(metric));
  expect(await archive.upload(bytes)).toMatchObject({ status: 201, json: { hash, records: 4, captures: 4, damaged } });
  expect(await Promise.all(names.map(metric))).toEqual([(before[0] ?? 0) + 1, (before[1] ?? 0) + length]);
  const line = node
    .log()
    .split("\n")
    .find((text) => text.includes("stored file has damaged ranges"));
  expect(JSON.parse(line ?? "{}")).toMatchObject({ level: "warn", hash, damaged });
  expect(await archive.get(`${WARCS}/${hash}`)).toMatchObject({ json: { damaged } });
  const kept = pages.filter((_uri, index) => index !== 2);
  expect(await archive.cdx(pages[2] ?? "")).toEqual([]);
  for (const uri of kept) expect(await archive.cdx(uri)).toHaveLength(1);
  await archive.searchable(hash);
  expect((await archive.search("kinddamaged")).toSorted()).toEqual(kept);
  const content = await fetch(`${node.webUrl}${WARCS}/${hash}/content`);
  expect(Buffer.from(await content.arrayBuffer()).equals(bytes)).toBe(true);
});

test("what came of a file's digests is in the answer, its state, the metrics and the log", async () => {
  const payload = "kinddigests";
  const digestOf = (text: string) => `sha1:${createHash("sha1").update(text).digest("hex")}`;
  const chunked = `${payload.length.toString(16)}\r\n${payload}\r\n0\r\n\r\n`;
  const record = (path: string, body: string, digest: string, headers = {}) =>
    warcRecord({
      ...{ uri: url("digests", path), block: httpResponse({ body, headers }), digest: false },
      fields: { "WARC-Payload-Digest": digest },
    });
  const bytes = Buffer.concat([
    record("right", payload, digestOf(payload)),
    record("wrong", payload, digestOf("something else")),
    record("unknown", payload, "crc7:00"),
    record("chunked", chunked, digestOf(chunked), { "Transfer-Encoding": "chunked" }),
    record("block", payload, digestOf(httpResponse({ body: payload }).toString())),
  ]);
  const hash = sha256Of(bytes);
  const digests = { verified: 3, mismatched: 1, unsupported: 1, chunked: 1, block: 1 };
  const before = await metric("archivestream_ingest_digest_mismatches_total");
  expect(await archive.upload(bytes)).toMatchObject({ status: 201, json: { captures: 5, digests } });
  expect(await archive.upload(bytes)).toMatchObject({ status: 200, json: { captures: 5, digests } });
  expect(await archive.get(`${WARCS}/${hash}`)).toMatchObject({ json: { digests } });
  expect(await metric("archivestream_ingest_digest_mismatches_total")).toBe(before + 1);
  const lines = node
    .log()
    .split("\n")
    .filter((text) => text.includes("do not match their digest"));
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([{ level: "warn", hash, digests }]);
});

test("a list of files shows the beginning of much damage and its sums, one file all of it", async () => {
  const members = Array.from({ length: 301 }, (_none, n) => gzipSync(pageRecord(url("shreds", `${n}`))));
  const shreds = members.map((member, n) =>
    n % 2 === 0 ? member : Buffer.concat([member.subarray(0, 20), Buffer.alloc(member.length - 20)]),
  );
  const bytes = Buffer.concat(shreds);
  const hash = sha256Of(bytes);
  const answer = await archive.upload(bytes);
  expect(answer).toMatchObject({ status: 201, json: { captures: 151 } });
  const { damaged } = answer.json as { damaged: readonly { length: number }[] };
  const sums = { damagedRanges: 150, damagedBytes: damaged.reduce((sum, range) => sum + range.length, 0) };
  expect(damaged).toHaveLength(150);
  expect(await archive.get(`${WARCS}/${hash}`)).toMatchObject({ json: { ...sums, damaged } });
  const { blobs } = (await archive.get(`${WARCS}?limit=1`)).json as { blobs: readonly object[] };
  expect(blobs).toMatchObject([{ hash, ...sums, damaged: damaged.slice(0, 100) }]);
});
