/** What the node does with requests it must not serve: every refusal is a problem with a stable code. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { embeddedConfig } from "../../node/src/config/config.ts";
import { ensureLocalIdentity } from "../../node/src/identity/local-identity.ts";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { type Answer, type CallOptions, type NodeClient, nodeClient } from "../testkit/node-client.ts";
import { parseAnswer, rawTls } from "../testkit/raw-tls.ts";
import { type TempDir, tempDir } from "../testkit/temp-dir.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const UPLOAD_LIMIT = 1024 * 1024;
/** More requests than an address may make in a minute without the token. */
const TOO_MANY = 4_000;
/** Fit into one TLS record: Node refuses what comes while its answers wait to be read. */
const AT_ONCE = 250;
const WARCS = "/api/v1/collections/default/warcs";
let folder: TempDir;
let node: ArchiveNodeProcess;
let client: NodeClient;
let bearer: { readonly authorization: string };

beforeAll(async () => {
  folder = await tempDir("edge");
  const base = embeddedConfig(folder.path);
  const config = {
    ...base,
    collections: [
      ...base.collections,
      { name: "secret", access: "Private", embargoSeconds: 0, exclude: [] },
      { name: "peers", access: "Federation", embargoSeconds: 0, exclude: [] },
    ],
    files: { ...base.files, access: join(folder.path, "access") },
    limits: { ...base.limits, uploadBytes: UPLOAD_LIMIT },
  };
  await mkdir(config.files.access);
  await ensureLocalIdentity(
    { keys: config.files.keys, accessTokenFile: join(config.files.access, "token") },
    new Date(),
  );
  const file = join(folder.path, "config.json");
  await writeFile(file, JSON.stringify(config));
  node = await startArchiveNode({ dataDir: folder.path, args: ["--config", file] });
  client = nodeClient(node.url, { ca: node.caPem });
  bearer = { authorization: `Bearer ${node.token}` };
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await node.stop();
  await folder.remove();
});

function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect(answer.json).toMatchObject({
    type: `urn:asfp:problem:${code}`,
    status,
    code,
    title: expect.any(String) as string,
    detail: expect.any(String) as string,
    retryable: expect.any(Boolean) as boolean,
    instance: answer.headers["asfp-request-id"],
  });
  expect(answer.status).toBe(status);
}

const upload = (options: CallOptions) => client.call(WARCS, { method: "POST", body: "WARC/1.1\r\n", ...options });
const warcType = { "content-type": "application/warc" };

test.each([
  ["no token", {}],
  ["a wrong token", { authorization: "Bearer 0123456789abcdef0123456789abcdef" }],
  ["an empty token", { authorization: "Bearer " }],
  ["another scheme", { authorization: "Basic YTpi" }],
])("an upload with %s is refused", async (_name, headers) => {
  const answer = await upload({ headers: { ...warcType, ...headers } });
  expectProblem(answer, 401, "auth-required");
  expect(answer.headers["www-authenticate"]).toContain("Bearer");
});

test.each([["secret"], ["peers"]])("collection %s needs the token for reading, on every path", async (name) => {
  const hash = "0".repeat(64);
  const paths = [
    `/api/v1/collections/${name}/warcs`,
    `/api/v1/collections/${name}/warcs/${hash}`,
    `/api/v1/collections/${name}/warcs/${hash}/content`,
    `/api/v1/search?q=a&collection=${name}`,
    `/${name}/cdx?url=example.org`,
    `/${name}/2024id_/http://example.org/`,
  ];
  for (const path of paths) expectProblem(await client.call(path), 401, "auth-required");
});

test("collections that need the token are listed with the token only", async () => {
  const names = async (headers: Record<string, string>) =>
    (
      (await client.call("/api/v1/collections", { headers })).json as { collections: { name: string }[] }
    ).collections.map((collection) => collection.name);
  expect(await names({})).toEqual(["default"]);
  expect(await names(bearer)).toEqual(["default", "secret", "peers"]);
});

test("an unknown collection is said to be unknown", async () => {
  expectProblem(await client.call("/api/v1/collections/nothing/warcs"), 404, "collection-unknown");
  expectProblem(await client.call("/nothing/cdx?url=example.org"), 404, "collection-unknown");
  expectProblem(
    await client.call("/api/v1/collections/nothing/warcs", {
      method: "POST",
      headers: { ...bearer, ...warcType },
      body: "x",
    }),
    404,
    "collection-unknown",
  );
});

test("an unknown path is a problem too", async () => {
  expectProblem(await client.call("/api/v1/federation/nothing-here"), 404, "not-found");
  expectProblem(await client.call("/default/2024/http://example.org/"), 404, "not-found");
});

test.each(["POST", "PUT", "PATCH", "DELETE", "TRACE"] as const)(
  "%s on a path for reading is 405 with Allow",
  async (method) => {
    const answer = await client.call("/api/v1/search?q=a", { method });
    expectProblem(answer, 405, "method-not-allowed");
    expect(answer.headers["allow"]).toBe("GET, HEAD, OPTIONS");
  },
);

test.each(["PUT", "PATCH", "DELETE"] as const)("%s on a collection's files is 405 with Allow", async (method) => {
  const answer = await client.call(WARCS, { method, headers: bearer, body: "x" });
  expectProblem(answer, 405, "method-not-allowed");
  expect(answer.headers["allow"]).toBe("GET, HEAD, OPTIONS, POST");
});

test("other origins' pages may read, and are told so before they ask with Range", async () => {
  const preflight = await client.call(WARCS, { method: "OPTIONS" });
  expect(preflight.status).toBe(204);
  expect(preflight.headers).toMatchObject({
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD",
    "access-control-allow-headers": "Range",
  });
  expect(preflight.headers["access-control-allow-credentials"]).toBeUndefined();
});

test("a caller's request id comes back; one that is not harmless is replaced", async () => {
  const echo = async (id: string) =>
    (await client.call("/healthz", { headers: { "asfp-request-id": id } })).headers["asfp-request-id"];
  expect(await echo("abc-123")).toBe("abc-123");
  expect(await echo("a b<script>")).toMatch(/^[0-9a-f-]{36}$/);
});

test("HEAD answers as GET without a body", async () => {
  const answer = await client.call("/api/v1/collections", { method: "HEAD" });
  expect([answer.status, answer.text]).toEqual([200, ""]);
  expect(Number(answer.headers["content-length"])).toBeGreaterThan(2);
});

test.each([
  ["a form, as curl sends by default", { "content-type": "application/x-www-form-urlencoded" }],
  ["JSON", { "content-type": "application/json" }],
  ["a content encoding", { ...warcType, "content-encoding": "gzip" }],
])("an upload as %s is refused with what to send", async (_name, headers) => {
  expectProblem(await upload({ headers: { ...bearer, ...headers } }), 415, "media-type-unsupported");
});

test.each([
  ["too short", "sha-256=:YWJj:"],
  ["not base64", "sha-256=:!!:"],
])("a digest field that is %s is refused", async (_name, value) => {
  expectProblem(await upload({ headers: { ...bearer, ...warcType, "repr-digest": value } }), 400, "bad-digest-field");
});

test("two digests that differ are refused", async () => {
  const digest = (byte: number) => `sha-256=:${Buffer.alloc(32, byte).toString("base64")}:`;
  const headers = { ...bearer, ...warcType, "repr-digest": digest(1), "content-digest": digest(2) };
  expectProblem(await upload({ headers }), 400, "bad-digest-field");
});

test("a body announced too long is refused before it is sent", async () => {
  using raw = await rawTls(node.url, node.caPem);
  raw.socket.write(
    `POST ${WARCS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${node.token}\r\n` +
      `Content-Type: application/warc\r\nContent-Length: ${UPLOAD_LIMIT + 1}\r\nExpect: 100-continue\r\n\r\n`,
  );
  await raw.closed;
  expect(raw.received()).not.toContain("100 Continue");
  expect(parseAnswer(raw.received())).toMatchObject({ status: 413, json: { code: "payload-too-large" } });
});

test("without a token nobody is told to go on", async () => {
  using raw = await rawTls(node.url, node.caPem);
  raw.socket.write(
    `POST ${WARCS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/warc\r\nContent-Length: 9000000\r\n` +
      "Expect: 100-continue\r\n\r\n",
  );
  await raw.closed;
  expect(parseAnswer(raw.received())).toMatchObject({ status: 401, json: { code: "auth-required" } });
});

test("a header that is too large is refused", async () => {
  using raw = await rawTls(node.url, node.caPem);
  raw.socket.write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ${"a".repeat(64 * 1024)}\r\n\r\n`);
  await raw.closed;
  expect(parseAnswer(raw.received())).toMatchObject({ status: 431, json: { code: "headers-too-large" } });
});

test("a URL that is too large is refused", async () => {
  expect((await client.call(`/${"a".repeat(40_000)}`)).json).toMatchObject({ status: 431, code: "headers-too-large" });
});

test("bytes that are not HTTP are answered once and cut", async () => {
  using raw = await rawTls(node.url, node.caPem);
  raw.socket.write("\x16\x03\x01 hello\r\n\r\n");
  await raw.closed;
  expect(parseAnswer(raw.received())).toMatchObject({ status: 400, json: { code: "bad-request" } });
});

test("a header that never ends is cut, and says why", async () => {
  using raw = await rawTls(node.url, node.caPem);
  raw.socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
  await raw.closed;
  expect(parseAnswer(raw.received())).toMatchObject({ status: 408, json: { code: "request-timeout" } });
});

test.each([
  ["no words", "/api/v1/search"],
  ["an empty question", "/api/v1/search?q="],
  ["a huge question", `/api/v1/search?q=${"a".repeat(2_000)}`],
  ["two questions", "/api/v1/search?q=a&q=b"],
  ["too many results", "/api/v1/search?q=a&limit=101"],
  ["no results", "/api/v1/search?q=a&limit=0"],
  ["a negative offset", "/api/v1/search?q=a&offset=-1"],
  ["an offset that is too deep", "/api/v1/search?q=a&offset=100000"],
  ["a limit that is no number", "/api/v1/search?q=a&limit=ten"],
  ["a bound that is no time", "/api/v1/search?q=a&from=yesterday"],
  ["a bound with 15 digits", "/api/v1/search?q=a&to=202401010000000"],
  ["a page that is too long", `${WARCS}?limit=1001`],
  ["a hash that is none", `${WARCS}/xyz`],
])("%s is a problem, not a search", async (_name, path) => {
  expectProblem(await client.call(path), 400, "bad-query");
});

test("a URL with broken percent signs is a problem", async () => {
  expectProblem(await client.call("/%zz/cdx"), 400, "bad-request");
});

test("an address that asks too much is told when to come back; the token is not limited", async () => {
  await using own = await startArchiveNode();
  await using calls = nodeClient(own.url, { ca: own.caPem });
  // Refused for its question, but counted: the cheapest request that uses up the limit.
  const path = "/nothing/cdx?url=a";
  const ask = (headers: Record<string, string> = {}) => calls.call(path, { headers });
  // Many in one piece, so that a slow machine as well answers them all within the minute that the limit is for.
  using raw = await rawTls(own.url, own.caPem);
  for (let asked = AT_ONCE; asked <= TOO_MANY; asked += AT_ONCE) {
    raw.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(AT_ONCE));
    const answered = () => raw.received().split("HTTP/1.1 ").length > asked;
    await waitUntil(`${asked} answers`, answered, { deadlineMs: 60_000, everyMs: 5 });
  }
  const refused = await ask();
  expectProblem(refused, 429, "rate-limited");
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  // Lists of files can be long, too.
  for (const list of [WARCS, `${WARCS}/${"0".repeat(64)}`]) expectProblem(await calls.call(list), 429, "rate-limited");
  expect((await ask({ authorization: `Bearer ${own.token}` })).status).toBe(404);
  expect((await calls.call("/healthz")).status).toBe(200);
});
