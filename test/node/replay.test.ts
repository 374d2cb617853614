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
