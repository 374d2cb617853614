/** What a person with curl or a browser meets first: the page at the root, names of files, and messages that say which flag works. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { type NodeClient, nodeClient } from "../testkit/node-client.ts";
import { gzipEach, pageRecord } from "../testkit/warc-builder.ts";

const WARCS = "/api/v1/collections/default/warcs";
const warcType = { "content-type": "application/warc" };
let node: ArchiveNodeProcess;
let client: NodeClient;
let bearer: { readonly authorization: string };

beforeAll(async () => {
  node = await startArchiveNode();
  client = nodeClient(node.url, { ca: node.caPem });
  bearer = { authorization: `Bearer ${node.token}` };
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await node.stop();
});

test("the first page tells a person and a program what is here", async () => {
  const program = await client.call("/");
  expect(program.json).toMatchObject({ api: "/api/v1/openapi.json", lookUps: ["/default/cdx?url=example.org"] });
  const person = await client.call("/", { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } });
  expect(person.headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(person.text).toMatch(/<form action="\/api\/v1\/search">[\s\S]*\/default\/cdx\?url=example\.org/);
  for (const { headers } of [program, person]) expect(headers["vary"]).toBe("Accept");
});

test.each(["/", "/api/v1/collections", "/nothing"])("the JSON of %s ends with a newline", async (path) => {
  const { text, headers } = await client.call(path);
  expect(text).toMatch(/\}\n$/);
  expect(headers["content-length"]).toBe(String(Buffer.byteLength(text)));
});

test.each([
  ["application/x-www-form-urlencoded", /--data-binary; send the file with -T FILE -X POST/],
  ["multipart/form-data; boundary=x", /-T FILE -X POST/],
  ["text/plain", /application\/warc, /],
])("a body of %s is refused with what to do", async (type, hint) => {
  const answer = await client.call(WARCS, {
    ...{ method: "POST", body: "WARC/1.1\r\n" },
    headers: { ...bearer, "content-type": type },
  });
  expect(answer.json).toMatchObject({
    status: 415,
    code: "media-type-unsupported",
    detail: expect.stringMatching(hint) as string,
  });
});

test.each([
  ["/tmp/page.warc.gz", { "content-disposition": 'attachment; filename="../up/named.warc"' }, "", "named.warc"],
  ["unicode", { "content-disposition": "attachment; filename*=UTF-8''%e2%82%ac.warc" }, "", "€.warc"],
  ["both", { "content-disposition": "attachment; filename=header.warc" }, "?filename=query.warc", "query.warc"],
  ["nothing that is a name", { "content-disposition": ";;;" }, "", undefined],
  ["a control", { "content-disposition": "attachment; filename*=UTF-8''a%0Ab.warc" }, "", undefined],
])("the name of a file sent with %s is as its sender says", async (uri, headers, query, name) => {
  const page = `http://names.example.org/${encodeURIComponent(uri)}`;
  const body = gzipEach([pageRecord(page)]);
  const answer = await client.call(`${WARCS}${query}`, {
    ...{ method: "POST", body },
    headers: { ...bearer, ...warcType, ...(headers as Record<string, string>) },
  });
  expect(answer.status).toBe(201);
  const { hash } = answer.json as { hash: string };
  expect((await client.call(`${WARCS}/${hash}`)).json).toMatchObject(name === undefined ? {} : { filename: name });
  const lookUp = `/default/cdx?output=json&url=${encodeURIComponent(page)}`;
  const capture = (await client.call(lookUp)).json as { filename: string; replay: string };
  expect(capture.filename).toBe(name ?? `${hash}.warc.gz`);
  expect((await client.call(capture.replay)).status).toBe(200);
});
