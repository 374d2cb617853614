/** The admin port as the operator meets it: mutual TLS, status with ETag, sequenced documents, drain; and `--config`. */
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN_CLIENT_NAME, ADMIN_PATHS, type AdminStatus } from "../../node/src/contract/admin-api.ts";
import { DEFAULT_LIMITS, type NodeConfig } from "../../node/src/contract/config-schema.ts";
import type { TrustDocument } from "../../node/src/contract/documents.ts";
import { documentDigest } from "../../node/src/contract/sequenced-documents.ts";
import { ensureLocalIdentity } from "../../node/src/identity/local-identity.ts";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { type TestAuthority, testAuthority } from "../testkit/certificate-authority.ts";
import { freePort } from "../testkit/free-port.ts";
import { type NodeClient, nodeClient } from "../testkit/node-client.ts";
import { type TempDir, tempDir } from "../testkit/temp-dir.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const SERVER_NAME = "archive-0.archive.default.svc";
const ISSUED_AT = "2026-11-24T00:00:00Z";

interface Cluster {
  readonly authority: TestAuthority;
  readonly folder: TempDir;
  readonly configFile: string;
  readonly adminUrl: string;
  readonly trustFolder: string;
}

let cluster: Cluster;
let node: ArchiveNodeProcess;
let operator: NodeClient;

/** What the operator mounts into a pod, as folders. */
async function mountedFolders(): Promise<Cluster> {
  const folder = await tempDir("cluster");
  const authority = await testAuthority();
  const at = (name: string) => join(folder.path, name);
  for (const name of ["data", "access", "admin", "federation", "trust.v1"]) await mkdir(at(name));
  await ensureLocalIdentity({ keys: at("keys"), accessTokenFile: join(at("access"), "token") }, new Date());
  const server = await authority.issue({ commonName: SERVER_NAME, usage: "serverAuth" });
  await writeFile(join(at("admin"), "tls.key"), server.key);
  await writeFile(join(at("admin"), "tls.crt"), server.cert);
  await writeFile(join(at("admin"), "ca.crt"), authority.ca);
  await writeFile(join(at("trust.v1"), "allowlist.json"), JSON.stringify(trustDocument(3)));
  await symlink("trust.v1", at("trust"));
  const adminPort = await freePort();
  const config: NodeConfig = {
    schemaVersion: 1,
    name: "archive",
    dataDir: at("data"),
    capabilities: ["store", "search", "index"],
    collections: [{ name: "main", access: "Public", embargoSeconds: 0, exclude: [] }],
    listen: { federation: "127.0.0.1:8443", admin: `127.0.0.1:${adminPort}` },
    files: {
      keys: at("keys"),
      access: at("access"),
      trust: at("trust"),
      federation: at("federation"),
      adminTls: at("admin"),
    },
    limits: DEFAULT_LIMITS,
    logLevel: "info",
  };
  await writeFile(at("config.json"), `${JSON.stringify(config, undefined, 1)}\n`);
  const adminUrl = `https://127.0.0.1:${adminPort}`;
  return { authority, folder, configFile: at("config.json"), adminUrl, trustFolder: at("trust") };
}

function trustDocument(sequence: number, revoked: string[] = []): TrustDocument {
  const content = { node: "archive", mode: "Private" as const, require: "Key" as const, entries: [], revoked };
  return { sequence, issuedAt: ISSUED_AT, ...content, digest: documentDigest(content) };
}

const start = () =>
  startArchiveNode({ dataDir: join(cluster.folder.path, "data"), args: ["--config", cluster.configFile] });

async function clientNamed(commonName: string, authority = cluster.authority, days = 1): Promise<NodeClient> {
  const pair = await authority.issue({ commonName, usage: "clientAuth", days });
  return nodeClient(cluster.adminUrl, { ca: cluster.authority.ca, servername: SERVER_NAME, ...pair });
}

const status = async () => (await operator.call(ADMIN_PATHS.status)).json as AdminStatus;
const put = (path: string, body: unknown) =>
  operator.call(path, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

beforeAll(async () => {
  cluster = await mountedFolders();
  node = await start();
  operator = await clientNamed(ADMIN_CLIENT_NAME);
});
afterAll(async () => {
  await operator[Symbol.asyncDispose]();
  await node.stop();
  await cluster.folder.remove();
});

test("says who it is, and that it took the mounted trust document", async () => {
  expect(await status()).toMatchObject({
    nodeID: node.nodeId,
    phase: "Serving",
    message: "",
    trust: { sequence: 3, digest: trustDocument(3).digest },
    federation: { sequence: 0, digest: "" },
  });
});

test("names its configuration by the digest of the file's bytes, which its writer can compute", async () => {
  const bytes = await readFile(cluster.configFile);
  expect((await status()).configDigest).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
});

test("answers 304 to the ETag it gave, while nothing changed", async () => {
  const first = await operator.call(ADMIN_PATHS.status);
  const again = await operator.call(ADMIN_PATHS.status, {
    headers: { "if-none-match": String(first.headers["etag"]) },
  });
  expect([first.status, again.status, again.text]).toEqual([200, 304, ""]);
});

test("nobody without the operator's certificate gets in", async () => {
  await using nobody = nodeClient(cluster.adminUrl, { ca: cluster.authority.ca, servername: SERVER_NAME });
  await expect(nobody.call(ADMIN_PATHS.status)).rejects.toThrow();
  await using stranger = await clientNamed(ADMIN_CLIENT_NAME, await testAuthority());
  await expect(stranger.call(ADMIN_PATHS.status)).rejects.toThrow();
  await using expired = await clientNamed(ADMIN_CLIENT_NAME, cluster.authority, -1);
  await expect(expired.call(ADMIN_PATHS.status)).rejects.toThrow();
  await using otherName = await clientNamed("somebody");
  expect((await otherName.call(ADMIN_PATHS.status)).json).toMatchObject({ status: 403, code: "peer-only" });
  const server = await cluster.authority.issue({ commonName: ADMIN_CLIENT_NAME, usage: "serverAuth" });
  await using wrongUse = nodeClient(cluster.adminUrl, { ca: cluster.authority.ca, servername: SERVER_NAME, ...server });
  await expect(wrongUse.call(ADMIN_PATHS.status)).rejects.toThrow();
});

test("the admin API is not on the federation port", async () => {
  await using calls = nodeClient(node.url, { ca: node.caPem });
  expect((await calls.call(ADMIN_PATHS.status)).status).toBe(404);
});

test("a document is taken when it is newer and its digest verifies, and only then", async () => {
  expect((await put(ADMIN_PATHS.trust, trustDocument(2))).json).toMatchObject({ code: "document-sequence-old" });
  expect((await put(ADMIN_PATHS.trust, trustDocument(3))).status).toBe(409);
  const forged = { ...trustDocument(9), revoked: ["0".repeat(64)] };
  expect((await put(ADMIN_PATHS.trust, forged)).json).toMatchObject({ status: 422, code: "document-invalid" });
  expect((await put(ADMIN_PATHS.trust, { sequence: 9 })).json).toMatchObject({ status: 422, code: "document-invalid" });
  expect((await status()).trust.sequence).toBe(3);
  const newer = trustDocument(5, ["a".repeat(64)]);
  expect((await put(ADMIN_PATHS.trust, newer)).json).toEqual({ sequence: 5, digest: newer.digest });
});

test("a federation document is taken the same way", async () => {
  const content = { node: "archive", peers: [], policies: [{ name: "p" }] };
  const document = { sequence: 1, issuedAt: ISSUED_AT, ...content, digest: documentDigest(content) };
  expect((await put(ADMIN_PATHS.federation, document)).status).toBe(200);
  expect((await status()).federation).toEqual({ sequence: 1, digest: document.digest });
});

test("a restart keeps the highest sequence, though the mounted file is older", async () => {
  const before = (await status()).trust.sequence;
  expect(before).toBeGreaterThan(3);
  await node.stop();
  node = await start();
  expect((await status()).trust.sequence).toBe(before);
});

test("a swapped folder symlink brings a newer document, an invalid one is logged and not taken", async () => {
  const publish = async (version: string, text: string) => {
    const folder = join(cluster.folder.path, version);
    await cp(join(cluster.folder.path, "trust.v1"), folder, { recursive: true });
    await writeFile(join(folder, "allowlist.json"), text);
    await symlink(version, `${cluster.trustFolder}.next`);
    await rename(`${cluster.trustFolder}.next`, cluster.trustFolder);
  };
  const deadline = { deadlineMs: 60_000, everyMs: 200 };
  await publish("trust.v2", JSON.stringify(trustDocument(20)));
  await waitUntil("sequence 20", async () => (await status()).trust.sequence === 20, deadline);
  await publish("trust.v3", "{ not json");
  await waitUntil("the log line", () => node.log().includes("changed files not taken"), deadline);
  expect((await status()).trust.sequence).toBe(20);
});

test("drain refuses uploads, says Draining and is not ready", async () => {
  const body = JSON.stringify({ deadlineMs: 5_000 });
  const drained = await operator.call(ADMIN_PATHS.drain, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  expect([drained.status, drained.json]).toEqual([200, { finished: true }]);
  expect((await status()).phase).toBe("Draining");
  await using calls = nodeClient(node.url, { ca: node.caPem });
  expect((await calls.call("/readyz")).status).toBe(503);
  const upload = await calls.call("/api/v1/collections/main/warcs", {
    method: "POST",
    headers: { "content-type": "application/warc", authorization: `Bearer ${node.token}` },
    body: "WARC/1.1\r\n",
  });
  expect([upload.status, upload.json]).toMatchObject([503, { code: "draining", retryable: true }]);
});
