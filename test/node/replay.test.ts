/** Captures as they were recorded: revisits, whatever their writers call the bytes they refer to. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toBase32 } from "../../node/src/warc/digest.ts";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { NodeArchive, sha256Of } from "../testkit/uploads.ts";
import { gzipEach, httpResponse, warcRecord } from "../testkit/warc-builder.ts";

const THEN = "2020-01-01T00:00:00Z";
const NOW = "2026-01-01T00:00:00Z";
const ELSEWHERE = "http://original.example.org/";

let node: ArchiveNodeProcess;
let archive: NodeArchive;

beforeAll(async () => {
  node = await startArchiveNode();
  archive = new NodeArchive(node);
});
afterAll(async () => {
  await archive[Symbol.asyncDispose]();
  await node.stop();
});

const sha1 = (body: string) => createHash("sha1").update(body).digest();
const base32 = (body: string) => `sha1:${toBase32(sha1(body))}`;
const hex = (body: string) => `sha1:${sha1(body).toString("hex")}`;
const sha256 = (body: string) => `sha256:${createHash("sha256").update(body).digest("hex")}`;

const original = (uri: string, body: string, digest: string, date = THEN) =>
  warcRecord({ uri, date, block: httpResponse({ body }), fields: { "WARC-Payload-Digest": digest } });
const revisit = (uri: string, fields: Readonly<Record<string, string>>, head = "HTTP/1.1 200 OK\r\n\r\n") =>
  warcRecord({ type: "revisit", uri, date: NOW, contentType: "application/http", block: head, fields });
const named = (uri: string) => ({ "WARC-Refers-To-Target-URI": uri, "WARC-Refers-To-Date": THEN });

/** Uploads the records; what the capture of `NOW` answers. */
async function replayed(uri: string, records: readonly Buffer[]) {
  const file = gzipEach(records);
  expect((await archive.upload(file)).status).toBe(201);
  return { sha256: sha256Of(file), answer: await archive.get(`/default/2026id_/${uri}`) };
}

test.each([
  ["hex", (body: string) => hex(body)],
  ["hex in capitals", (body: string) => hex(body).toUpperCase()],
  ["base32 in small letters", (body: string) => base32(body).toLowerCase()],
  ["no algorithm", (body: string) => base32(body).slice("sha1:".length)],
])(
  "a revisit whose digest is spelled as %s replays and is searched as the capture it refers to",
  async (kind, spell) => {
    const word = `spelled${kind.replaceAll(" ", "")}`;
    const uri = `http://${word}.example.org/`;
    const body = `<p>${word}`;
    const records = [original(uri, body, base32(body)), revisit(uri, { "WARC-Payload-Digest": spell(body) })];
    const { sha256: hash, answer } = await replayed(uri, records);
    expect(answer).toMatchObject({ status: 200, text: body });
    await archive.searchable(hash);
    const recent = await archive.get(`/api/v1/search?q=${word}&from=2025`);
    expect(recent.json).toMatchObject({ hits: [{ url: uri, captures: { count: 2 } }] });
  },
);

test("a revisit that names URL and time of a capture with a digest of another algorithm replays it", async () => {
  const uri = "http://algorithms.example.org/";
  const records = [
    original(ELSEWHERE, "wanted", base32("wanted")),
    original(ELSEWHERE, "later", base32("later"), NOW),
    revisit(uri, { "WARC-Payload-Digest": sha256("wanted"), ...named(ELSEWHERE) }),
  ];
  expect((await replayed(uri, records)).answer).toMatchObject({ status: 200, text: "wanted" });
});

test.each([
  ["is not held", [], { "WARC-Payload-Digest": base32("wanted") }],
  [
    "has other bytes",
    ["other"],
    { "WARC-Payload-Digest": base32("wanted"), ...named("http://lost-has-other-bytes.example.org/") },
  ],
  ["has a digest of another algorithm and is not named", ["wanted"], { "WARC-Payload-Digest": sha256("wanted") }],
  ["is not named at all", ["wanted"], {}],
])("a revisit of which the capture it refers to %s is not answered as an empty page", async (name, bodies, fields) => {
  const uri = `http://lost-${name.replaceAll(" ", "-")}.example.org/`;
  const records = [...bodies.map((body) => original(uri, body, base32(body))), revisit(uri, fields)];
  const { answer } = await replayed(uri, records);
  expect(answer).toMatchObject({ status: 404, json: { code: "capture-unknown" } });
  expect(answer.json).toMatchObject({
    detail: expect.stringContaining(`the capture of ${uri} it refers to`) as string,
  });
});

test("a revisit that recorded 'not modified' answers with the head of the capture it refers to", async () => {
  const uri = "http://unchanged.example.org/";
  const records = [
    original(uri, "wanted", base32("wanted")),
    revisit(uri, named(uri), "HTTP/1.1 304 Not Modified\r\n\r\n"),
  ];
  const { answer } = await replayed(uri, records);
  expect(answer).toMatchObject({ status: 200, text: "wanted", headers: { "content-type": "text/html" } });
});

test.each([
  ["nothing but its profile", {}],
  ["a date only", { "WARC-Refers-To-Date": THEN }],
  ["a URL only", { "WARC-Refers-To-Target-URI": "http://not-modified-a-url-only.example.org/" }],
])("a server-not-modified revisit with %s replays the latest capture before", async (name, fields) => {
  const uri = `http://not-modified-${name.replaceAll(" ", "-").toLowerCase()}.example.org/`;
  const profile = "http://netpreserve.org/warc/1.1/revisit/server-not-modified";
  const records = [
    original(uri, "older", base32("older"), "2019-01-01T00:00:00Z"),
    original(uri, "wanted", base32("wanted")),
    original(uri, "later", base32("later"), "2026-06-01T00:00:00Z"),
    revisit(uri, { "WARC-Profile": profile, ...fields }, "HTTP/1.1 304 Not Modified\r\n\r\n"),
  ];
  expect((await archive.upload(gzipEach(records))).status).toBe(201);
  expect(await archive.get(`/default/20260101000000id_/${uri}`)).toMatchObject({ status: 200, text: "wanted" });
});

test.each(["/caf%E9.html", "/%83J%83e/x", "/100%/x", "/a%zz?q=%ff"])(
  "a URL that is no UTF-8 replays: %s",
  async (path) => {
    const uri = `http://escapes.example.org${path}`;
    expect(await replayed(uri, [original(uri, path, base32(path))])).toMatchObject({
      answer: { status: 200, text: path },
    });
  },
);

test("a capture whose date cannot be read has no Memento-Datetime", async () => {
  const uri = "http://undated.example.org/";
  const { answer } = await replayed(uri, [original(uri, "undated", base32("undated"), "2020-44-62T00:00:00Z")]);
  expect(answer).toMatchObject({ status: 200, text: "undated" });
  expect(answer.headers).not.toHaveProperty("memento-datetime");
});

const answerOf = (uri: string, date: string, line: string, head: string, body = "") =>
  warcRecord({ uri, date, block: `HTTP/1.1 ${line}\r\n${head}\r\n${body}` });

test.each([
  ["the scheme", "http://to-scheme.example.org/", "https://to-scheme.example.org/"],
  ["www.", "http://to-www.example.org/", "http://www.to-www.example.org/"],
  ["a slash", "http://to-slash.example.org/a", "http://to-slash.example.org/a/"],
  ["itself, with a cookie", "http://to-itself.example.org/", "http://to-itself.example.org/"],
])("a redirect to %s never leads to itself while another capture is there", async (_name, from, to) => {
  const redirect = answerOf(from, "2020-01-01T00:00:05Z", "301 Moved", `Location: ${to}\r\nSet-Cookie: a=b\r\n`);
  const page = answerOf(to, "2020-01-01T00:00:07Z", "200 OK", "Content-Type: text/html\r\n", "arrived");
  expect((await archive.upload(gzipEach([redirect, page]))).status).toBe(201);
  expect(await archive.get(`/default/20200101000005id_/${from}`)).toMatchObject({ status: 200, text: "arrived" });
});

test("two redirects to each other do not go round while a page is there", async () => {
  const [page, login] = ["http://wall.example.org/page", "http://wall.example.org/login"];
  const records = [
    answerOf(page, "2020-01-01T00:00:05Z", "302 Found", `Location: ${login}\r\n`),
    answerOf(login, "2020-01-01T00:00:06Z", "302 Found", `Location: ${page}\r\n`),
    answerOf(page, "2020-01-01T00:00:07Z", "200 OK", "Content-Type: text/html\r\n", "arrived"),
  ];
  expect((await archive.upload(gzipEach(records))).status).toBe(201);
  expect(await archive.get(`/default/20200101000005id_/${page}`)).toMatchObject({ status: 200, text: "arrived" });
});

test("a redirect to elsewhere stays one", async () => {
  const uri = "http://moved.example.org/old";
  const records = [
    answerOf(uri, "2020-01-01T00:00:05Z", "301 Moved", "Location: /new\r\n"),
    answerOf("http://moved.example.org/new", "2020-01-01T00:00:06Z", "200 OK", "", "new"),
  ];
  expect((await replayed(uri, records)).answer).toMatchObject({
    status: 301,
    headers: { location: "/default/20200101000005id_/http://moved.example.org/new" },
  });
});

test.each(["304 Not Modified", "206 Partial Content"])("a full page is preferred to a %s close by", async (line) => {
  const uri = `http://full-${line.slice(0, 3)}.example.org/`;
  const records = [
    answerOf(uri, "2020-01-01T00:00:05Z", "200 OK", "Content-Type: text/html\r\n", "full"),
    answerOf(uri, "2020-01-02T00:00:05Z", line, "", line.startsWith("2") ? "part" : ""),
  ];
  expect((await archive.upload(gzipEach(records))).status).toBe(201);
  expect(await archive.get(`/default/20200102000005id_/${uri}`)).toMatchObject({ status: 200, text: "full" });
});

test("a status that no table has is told", async () => {
  const uri = "http://odd.example.org/";
  const { answer } = await replayed(uri, [answerOf(uri, THEN, "999 Request denied", "", "denied")]);
  expect(answer).toMatchObject({ status: 999, text: "denied" });
});

test.each([
  ["plain", "Content-Type: video/mp4\r\n", "0123456789"],
  ["chunked", "Transfer-Encoding: chunked\r\n", "4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n"],
])("a part of a %s capture is answered with 206, HEAD with the length", async (name, head, body) => {
  const uri = `http://ranges-${name}.example.org/`;
  const { answer } = await replayed(uri, [answerOf(uri, THEN, "200 OK", head, body)]);
  expect(answer).toMatchObject({ status: 200, text: "0123456789", headers: { "accept-ranges": "bytes" } });
  const path = `/default/2020id_/${uri}`;
  const ask = (range: string) => archive.get(path, { range });
  expect(await ask("bytes=2-4")).toMatchObject({
    status: 206,
    text: "234",
    headers: { "content-range": "bytes 2-4/10", "content-length": "3" },
  });
  expect(await ask("bytes=-3")).toMatchObject({ status: 206, text: "789" });
  expect(await ask("bytes=7-")).toMatchObject({ status: 206, text: "789" });
  expect(await ask("bytes=10-")).toMatchObject({ status: 416, headers: { "content-range": "bytes */10" } });
  expect(await archive.head(path)).toMatchObject({ status: 200, headers: { "content-length": "10" } });
});
