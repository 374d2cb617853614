/** What an attacker sends to the federation and web ports, and what archived pages bring along: none of it gets through. */
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { rawTls } from "../testkit/raw-tls.ts";
import { NodeArchive } from "../testkit/uploads.ts";
import { gzipEach, httpResponse, warcinfo, warcRecord } from "../testkit/warc-builder.ts";

const WARCS = "/api/v1/collections/default/warcs";
const EVIL = "https://evil.example.org/page";
const LONG = `https://evil.example.org/${"a".repeat(4_000)}`;

let node: ArchiveNodeProcess;
let archive: NodeArchive;

const hostilePage = httpResponse({
  headers: {
    "Content-Type": "text/html",
    "Set-Cookie": "session=stolen",
    "Content-Security-Policy": "default-src *",
    "X-Content-Type-Options": "sniff",
    "Access-Control-Allow-Origin": "https://evil.example.org",
    "Service-Worker-Allowed": "/",
    "Clear-Site-Data": '"*"',
    Refresh: "0; url=https://evil.example.org/",
    Link: "</api/v1/collections>; rel=preload",
    "Strict-Transport-Security": "max-age=1",
    "WWW-Authenticate": "Basic",
    Location: "javascript:alert(1)",
    "Content-Length": "3",
    "Transfer-Encoding": "chunked",
    "ASFP-Request-Id": "forged",
  },
  body: "1c\r\n<script>alert(1)</script>!!!\r\n0\r\n\r\n",
});

beforeAll(async () => {
  node = await startArchiveNode({ web: true });
  archive = new NodeArchive(node);
  const records = [warcRecord({ uri: EVIL, block: hostilePage }), warcRecord({ uri: LONG, block: httpResponse() })];
  expect((await archive.upload(gzipEach([warcinfo(), ...records]))).status).toBe(201);
});
afterAll(async () => {
  await archive[Symbol.asyncDispose]();
  await node.stop();
});

/** Everything a port answers to these bytes until it closes the connection. */
async function exchange(port: "federation" | "web", text: string): Promise<string> {
  if (port === "federation") {
    using raw = await rawTls(node.url, node.caPem);
    raw.socket.write(text);
    await raw.closed;
    return raw.received();
  }
  const { hostname, port: number } = new URL(node.webUrl ?? "");
  const socket = connect(Number(number), hostname);
  let received = "";
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  socket.write(text);
  await new Promise<void>((done) => socket.once("close", () => done()));
  return received;
}

const statuses = (received: string): readonly number[] =>
  [...received.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));

const SMUGGLED = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const post = (fields: string, body: string) => `POST ${WARCS} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n${body}`;

const AMBIGUOUS: Readonly<Record<string, string>> = {
  "both lengths": post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${SMUGGLED}`),
  "two lengths": post("Content-Length: 0\r\nContent-Length: 5\r\n", SMUGGLED),
  "a signed length": post("Content-Length: +5\r\n", SMUGGLED),
  "a space before the colon": post("Transfer-Encoding : chunked\r\n", `0\r\n\r\n${SMUGGLED}`),
  "an unknown transfer coding": post("Transfer-Encoding: cow\r\n", SMUGGLED),
  "chunked twice over": post("Transfer-Encoding: chunked, identity\r\n", `0\r\n\r\n${SMUGGLED}`),
  "a chunk length that is none": post("Transfer-Encoding: chunked\r\nConnection: close\r\n", `zz\r\n${SMUGGLED}`),
  "a folded header": `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n Content-Length: 5\r\n\r\n${SMUGGLED}`,
  "a header line without colon": `GET /healthz HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n${SMUGGLED}`,
  "no host": `GET /healthz HTTP/1.1\r\n\r\n${SMUGGLED}`,
};

test.each(Object.keys(AMBIGUOUS).flatMap((name) => [["federation", name] as const, ["web", name] as const]))(
  "%s port: a request with %s is refused and the connection ends, so that nothing hides behind it",
  async (port, name) => {
    const seen = statuses(await exchange(port, AMBIGUOUS[name] ?? ""));
    expect(seen).toHaveLength(1);
    expect([400, 401]).toContain(seen[0]);
  },
);

test("the body of a refused upload is not read as requests", async () => {
  const body = SMUGGLED.repeat(3);
  const known = post(`Content-Length: ${body.length}\r\nConnection: close\r\n`, body);
  expect(statuses(await exchange("web", known))).toEqual([401]);
  const chunked = post("Transfer-Encoding: chunked\r\n", `${body.length.toString(16)}\r\n${body}\r\n`);
  expect(statuses(await exchange("web", chunked))).toEqual([401]);
});

test.each([
  ["/api/v1/collections/..%2f..%2fetc/warcs"],
  ["/api/v1/collections/%2e%2e/warcs"],
  ["/..%2fblobs/cdx?url=a"],
  ["/%2e%2e%2fkeys/2024id_/http://a/"],
  ["/default%00/cdx?url=a"],
  ["/Default/cdx?url=a"],
  ["/__proto__/cdx?url=a"],
  ["/constructor/cdx?url=a"],
  ["/api/v1/collections/default/warcs/..%2f..%2f..%2faccess-token"],
  ["/api/v1/collections/default/warcs/..%2f..%2f..%2faccess-token/content"],
])("%s is no way out of the collections", async (path) => {
  const answer = await archive.get(path);
  expect([400, 404]).toContain(answer.status);
  expect(answer.text).not.toContain(node.token);
});

test("line ends in a path or parameter make no header", async () => {
  for (const path of [
    "/default/2024id_/http://a/%0d%0aSet-Cookie:%20a=b",
    "/default/cdx?url=a%0d%0aSet-Cookie:%20a=b",
  ]) {
    expect((await archive.get(path)).headers["set-cookie"]).toBeUndefined();
  }
  const forged = await archive.get("/healthz", { "asfp-request-id": "a\tb" });
  expect(forged.headers["asfp-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
});

test("an archived page is sandboxed, and none of its headers acts on our origin", async () => {
  const answer = await archive.get(`/default/2026id_/${EVIL}`);
  expect(answer.headers).toMatchObject({
    "content-security-policy": "sandbox",
    "x-content-type-options": "nosniff",
    "access-control-allow-origin": "*",
    "referrer-policy": "no-referrer",
    "x-archive-orig-set-cookie": "session=stolen",
  });
  const acting = ["set-cookie", "service-worker-allowed", "clear-site-data", "refresh", "strict-transport-security"];
  for (const name of [...acting, "www-authenticate", "location"]) expect(answer.headers[name], name).toBeUndefined();
  expect(answer.headers["link"]).toBe(`<${EVIL}>; rel="original"`);
  expect(answer.headers["asfp-request-id"]).not.toBe("forged");
  expect(answer.text).toBe("<script>alert(1)</script>!!!");
});

test("stored files come as downloads that no browser shows", async () => {
  const [hash = ""] = await archive.hashes();
  const { headers } = await archive.content(hash);
  expect(headers["content-disposition"]).toMatch(/^attachment/);
  expect(headers["x-content-type-options"]).toBe("nosniff");
});

test.each([
  ["nested repetition", "~url:(a+)+$"],
  ["alternatives of the same", "~url:(a|a)*b"],
  ["a repetition of repetitions", "~url:((a{1,50}){1,50}){1,50}b"],
  ["an empty loop", "~url:(a*)*b"],
])("a filter of %s on a long URL is answered or refused, and others meanwhile", async (_name, filter) => {
  const slow = archive.get(`/default/cdx?url=evil.example.org&matchType=domain&filter=${encodeURIComponent(filter)}`);
  expect((await archive.get("/healthz")).status).toBe(200);
  expect([200, 400]).toContain((await slow).status);
});

test("a thousand filters, and a URL of 20,000 letters, are answered or refused", async () => {
  const filters = Array.from({ length: 800 }, (_none, n) => `filter=~url:${n}.*`).join("&");
  expect([200, 400]).toContain((await archive.get(`/default/cdx?url=evil.example.org&${filters}`)).status);
  expect([200, 400, 404]).toContain((await archive.get(`/default/cdx?url=http://${"a.".repeat(10_000)}`)).status);
});
