/** What a node gives back: every kind of file searched and replayed, under load, within its rules of access. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { type NodeClient, nodeClient } from "../testkit/node-client.ts";
import { configuredNode } from "../testkit/node-config.ts";
import { rawTls } from "../testkit/raw-tls.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { NodeArchive, sampleFile, sha256Of } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";
import {
  arcHeader,
  arcRecord,
  gzipEach,
  httpResponse,
  pageRecord,
  warcinfo,
  warcRecord,
  zstdEach,
} from "../testkit/warc-builder.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const FIXTURES = resolve(ROOT, process.env["ARCHIVE_FIXTURES"] ?? "../shared/fixtures");
let node: ArchiveNodeProcess;
let archive: NodeArchive;

beforeAll(async () => {
  node = await startArchiveNode({ metrics: true });
  archive = new NodeArchive(node);
});
afterAll(async () => {
  await archive[Symbol.asyncDispose]();
  await node.stop();
});

const page = (word: string, path: string) => `<html><title>${word}</title><p>${word} at ${path}</p></html>`;
const url = (kind: string, path: string) => `http://${kind}.example.org/${path}`;
const records = (kind: string) => ["a", "b"].map((path) => pageRecord(url(kind, path), page(`kind${kind}`, path)));

const KINDS: readonly (readonly [string, string, Buffer])[] = [
  ["plain", "application/warc .warc", Buffer.concat(records("plain"))],
  ["member", "application/gzip .warc.gz", gzipEach([warcinfo(), ...records("member")])],
  ["onemember", "application/gzip .warc.gz", gzipSync(Buffer.concat(records("onemember")))],
  ["zstd", "application/zstd .warc.zst", zstdEach(records("zstd"))],
  [
    "arc",
    "application/x-internet-archive .arc",
    Buffer.concat([
      arcHeader(),
      ...["a", "b"].map((path) => arcRecord(url("arc", path), httpResponse({ body: page("kindarc", path) }))),
    ]),
  ],
];

test.each(KINDS)(
  "a file stored as %s is looked up, replayed, searched and given back as %s",
  async (kind, as, bytes) => {
    expect(await archive.upload(bytes)).toMatchObject({ status: 201, json: { captures: 2, damaged: [] } });
    for (const path of ["a", "b"]) {
      expect(await archive.cdx(url(kind, path))).toHaveLength(1);
      expect((await archive.get(`/default/2026id_/${url(kind, path)}`)).text).toBe(page(`kind${kind}`, path));
    }
    const hash = sha256Of(bytes);
    await archive.searchable(hash);
    expect((await archive.search(`kind${kind}`)).toSorted()).toEqual([url(kind, "a"), url(kind, "b")]);
    const [type = "", suffix = ""] = as.split(" ");
    expect((await archive.content(hash)).headers).toMatchObject({
      "content-type": type,
      "content-disposition": `attachment; filename="${hash}${suffix}"`,
    });
  },
);

test("a crawler's notes to itself are looked up, but are no pages to be searched", async () => {
  const notes = {
    type: "resource",
    uri: "metadata://gnu.org/software/wget/warc/wget.log",
    block: "crawlernotes of wget",
  };
  const bytes = gzipEach([pageRecord(url("notes", "a"), page("crawlernotes", "a")), warcRecord(notes)]);
  expect(await archive.upload(bytes)).toMatchObject({ status: 201, json: { captures: 2 } });
  expect(await archive.cdx(notes.uri)).toHaveLength(1);
  await archive.searchable(sha256Of(bytes));
  expect(await archive.search("crawlernotes")).toEqual([url("notes", "a")]);
});

test("odd URLs, types and dates are kept and found", async () => {
  const odd = [
    `http://odd.example.org/${"long/".repeat(3000)}`,
    "http://odd.example.org/nul\u0000byte",
    "http://odd.example.org/\ud800surrogate",
  ];
  const bytes = Buffer.concat([
    ...odd.map((uri) => warcRecord({ uri, block: httpResponse({ headers: { "Content-Type": "text/\u0000x" } }) })),
    ...["2026", "not a date", "2026-99-99T99:99:99Z", "20260102030405678901"].map((date, index) =>
      warcRecord({ uri: `http://dates.example.org/${index}`, date, block: httpResponse() }),
    ),
  ]);
  const answer = await archive.upload(bytes);
  expect(answer).toMatchObject({ status: 201, json: { captures: 7 } });
  expect(await archive.cdx("http://odd.example.org/*")).toHaveLength(3);
  const dates = (await archive.cdx("http://dates.example.org/*")).map((line) => line.split(" ")[1]);
  // What cannot be read is no date: nothing is made up for it.
  expect(dates).toEqual(["20260101000000", "00000000000000", "00000000000000", "20260102030405"]);
  await archive.searchable(sha256Of(bytes));
});

test("bytes of a stored file come back whole and by range", async () => {
  const file = sampleFile({ name: "ranges", pages: 2 });
  expect((await archive.upload(file.bytes)).status).toBe(201);
  await using client = nodeClient(node.url, { ca: node.caPem });
  const path = `/api/v1/collections/default/warcs/${file.sha256}/content`;
  const part = await client.call(path, { headers: { range: "bytes=0-1" } });
  expect(part).toMatchObject({ status: 206, headers: { "content-range": `bytes 0-1/${file.bytes.length}` } });
  expect((await client.call(path, { headers: { range: "bytes=-5" } })).headers["content-length"]).toBe("5");
  const beyond = await client.call(path, { headers: { range: `bytes=${file.bytes.length}-` } });
  expect(beyond).toMatchObject({ status: 416, json: { code: "range-invalid" } });
});

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${node.metricsUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)`, "m").exec(text)?.[1]);
}

test("writers are not held up by a reader who takes a long answer slowly", async () => {
  const long = sampleFile({ name: `slow${"x".repeat(400)}`, pages: 12_000 });
  expect((await archive.upload(long.bytes)).status).toBe(201);
  const { host } = new URL(long.urls[0] ?? "");
  const answered = () =>
    metric(
      String.raw`archivestream_http_request_duration_seconds_count\{listener="federation",method="GET",route="/:collection/cdx",status="2xx"\}`,
    );
  const before = await answered();
  using reader = await rawTls(node.url, node.caPem);
  reader.socket.write(`GET /default/cdx?url=${host}/* HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  await waitUntil("the answer to begin", () => reader.received() !== "", { deadlineMs: 60_000, everyMs: 2 });
  reader.socket.pause();
  for (const id of [1, 2, 3, 4, 5]) {
    const file = sampleFile({ name: `beside${id}`, pages: 50 });
    expect((await archive.upload(file.bytes)).status).toBe(201);
    expect(await archive.cdx(file.urls[0] ?? "")).toHaveLength(1);
  }
  // The look-ups just made, and not the long one.
  expect(await answered()).toBe(before + 5);
  reader.socket.resume();
  await reader.closed;
  expect(reader.received().match(/"filename"/g)).toHaveLength(12_000);
});

test("readers are answered while a large file is committed, and everything shows itself in time", async () => {
  const small = sampleFile({ name: "small", pages: 1 });
  expect((await archive.upload(small.bytes)).status).toBe(201);
  const large = sampleFile({ name: "large", pages: 8_000 });
  const state = { done: false };
  const upload = archive.upload(large.bytes).finally(() => {
    state.done = true;
  });
  let answers = 0;
  while (!state.done) {
    expect(await archive.cdx(small.urls[0] ?? "")).toHaveLength(1);
    answers += 1;
  }
  expect(await upload).toMatchObject({ status: 201, json: { captures: 8_000 } });
  expect(answers).toBeGreaterThan(1);
  const others = [1, 2, 3].map((id) => sampleFile({ name: `load${id}`, pages: 20, padding: randomBytes(512) }));
  for (const answer of await Promise.all(others.map((file) => archive.upload(file.bytes))))
    expect(answer.status).toBe(201);
  for (const file of others) await archive.searchable(file.sha256);
  const counted = await metric("archivestream_ingest_index_seconds_count");
  const stored = await metric(String.raw`archivestream_ingest_files_total\{outcome="stored"\}`);
  expect(counted).toBeGreaterThanOrEqual(others.length + 2);
  expect(counted).toBe(stored);
});

test("embargo and exclusion hold in look-up, replay, search and whole files; a collection taken out of service is gone", async () => {
  await using dir = await tempDir("access");
  const day = 86_400;
  const open = { name: "default", access: "Public" as const, embargoSeconds: 0, exclude: [] };
  const exclude = ["org,example,hidden)", "https://asurl.example.org/"];
  const closed = { name: "closed", access: "Public" as const, embargoSeconds: day, exclude };
  const old = sampleFile({ name: "old", pages: 1, date: "2020-01-01T00:00:00Z" });
  const fresh = sampleFile({ name: "fresh", pages: 1, date: new Date().toISOString() });
  const hidden = sampleFile({ name: "hidden", pages: 1, date: "2020-01-01T00:00:00Z" });
  const asUrl = sampleFile({ name: "asurl", pages: 1, date: "2020-01-01T00:00:00Z" });
  const serve = async (
    collections: readonly (typeof open | typeof closed)[],
    check: (at: NodeArchive, stranger: NodeClient) => Promise<void>,
  ) => {
    await using settings = await configuredNode({ dataDir: dir.path, collections: [...collections] });
    await using running = await startArchiveNode({ dataDir: dir.path, args: ["--config", settings.configFile] });
    await using at = new NodeArchive(running);
    await using stranger = nodeClient(running.url, { ca: running.caPem });
    await check(at, stranger);
  };
  await serve([open, closed], async (at, stranger) => {
    for (const file of [old, fresh, hidden, asUrl]) {
      expect((await at.upload(file.bytes, "closed")).status).toBe(201);
      await at.searchable(file.sha256, "closed");
    }
    for (const [file, seen] of [
      [old, 1],
      [fresh, 0],
      [hidden, 0],
      [asUrl, 0],
    ] as const) {
      const [uri = ""] = file.urls;
      expect(await at.cdx(uri, "closed"), file.word).toHaveLength(seen);
      expect((await at.get(`/closed/2020id_/${uri}`)).status, file.word).toBe(seen === 1 ? 200 : 404);
      expect(await at.search(file.word, "closed"), file.word).toHaveLength(seen);
      // Also a file that hides nothing: which ones do changes with time.
      const content = `/api/v1/collections/closed/warcs/${file.sha256}/content`;
      for (const headers of [{}, { range: "bytes=0-1" }, { "if-none-match": `"sha256:${file.sha256}"` }]) {
        const refused = await stranger.call(content, { headers });
        expect(refused, file.word).toMatchObject({ status: 401, json: { code: "content-restricted" } });
      }
      expect((await stranger.call(content, { method: "HEAD" })).status).toBe(401);
      expect((await at.content(file.sha256, "closed")).status, file.word).toBe(200);
    }
    const shown = sampleFile({ name: "shown", pages: 1 });
    expect((await at.upload(shown.bytes)).status).toBe(201);
    expect((await stranger.call(`/api/v1/collections/default/warcs/${shown.sha256}/content`)).status).toBe(200);
  });
  await serve([open], async (at) => {
    expect((await at.get(`/closed/cdx?url=${old.urls[0]}`)).status).toBe(404);
    expect((await at.get(`/closed/2020id_/${old.urls[0]}`)).status).toBe(404);
    expect(await at.search(old.word)).toEqual([]);
  });
});

test.skipIf(!existsSync(FIXTURES))(
  "fixture files of pywb and warcio: revisits replay the payload they refer to",
  async () => {
    const dupes = await readFile(join(FIXTURES, "pywb/dupes.warc.gz"));
    expect((await archive.upload(dupes)).status).toBe(201);
    const lines = await archive.cdx("http://example.com/");
    expect(lines.some((line) => line.includes("warc/revisit"))).toBe(true);
    for (const line of lines) {
      const stamp = line.split(" ")[1] ?? "";
      const answer = await archive.get(`/default/${stamp}id_/http://example.com/`);
      expect(answer.status, line).toBe(200);
      expect(answer.headers["memento-datetime"]).toBeDefined();
      expect(answer.text.length, line).toBeGreaterThan(0);
    }
    const arc = await readFile(join(FIXTURES, "warcio/example.arc.gz"));
    expect((await archive.upload(arc)).status).toBe(201);
  },
);
