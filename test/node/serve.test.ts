/** `archive-node serve` as a process: identity, restarts, hot reload, drain, refusals at start. */
import { spawn, spawnSync } from "node:child_process";
import { createPublicKey, randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFile, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodeIdOf } from "../../node/src/contract/node-id.ts";
import { verifyDelegation } from "../../node/src/identity/delegation.ts";
import { type ArchiveNodeProcess, localFiles, startArchiveNode } from "../testkit/archive-node-process.ts";
import { freePort } from "../testkit/free-port.ts";
import { type NodeClient, nodeClient } from "../testkit/node-client.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { NodeArchive, sampleFile } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const PROGRAM = resolve(import.meta.dirname, "../../node/bin/archive-node");
let node: ArchiveNodeProcess;
let client: NodeClient;

beforeAll(async () => {
  node = await startArchiveNode({ web: true, replay: true, metrics: true });
  client = nodeClient(node.url, { ca: node.caPem });
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await node.stop();
});

const run = (args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
  spawnSync(process.execPath, [PROGRAM, ...args], { encoding: "utf8", env, timeout: 60_000 });

/** PATH without the project's own Node: `node` is then whatever the machine has. */
function systemEnv(): NodeJS.ProcessEnv {
  const folders = (process.env["PATH"] ?? "").split(":").filter((folder) => !folder.includes("node_modules"));
  return { ...process.env, PATH: folders.join(":") };
}

test("the node id is the hash of the identity key, and its delegation covers the service key", async () => {
  const { keys } = localFiles(node.dataDir);
  const identityKey = createPublicKey(await readFile(join(keys, "identity.key"), "utf8"));
  expect(node.nodeId).toBe(nodeIdOf(identityKey));
  const serviceKey = createPublicKey(await readFile(join(keys, "service.key"), "utf8"));
  const delegation: unknown = JSON.parse(await readFile(join(keys, "delegation.json"), "utf8"));
  expect(verifyDelegation(delegation, serviceKey).node_id).toBe(node.nodeId);
  expect(run(["identity", "--data", node.dataDir]).stdout.trim()).toBe(node.nodeId);
});

test("keys and token can be read by their owner alone", async () => {
  const { keys, token } = localFiles(node.dataDir);
  for (const file of [join(keys, "identity.key"), join(keys, "service.key"), join(keys, "tls.key"), token]) {
    expect((await stat(file)).mode & 0o077, file).toBe(0);
  }
});

test("TLS 1.3 is spoken, TLS 1.2 is refused", async () => {
  const port = Number(new URL(node.url).port);
  const dial = (maxVersion: "TLSv1.2" | "TLSv1.3") =>
    new Promise<string>((done) => {
      const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: node.caPem, maxVersion });
      socket.once("secureConnect", () => {
        done(socket.getProtocol() ?? "none");
        socket.destroy();
      });
      socket.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    });
  expect(await dial("TLSv1.3")).toBe("TLSv1.3");
  expect(await dial("TLSv1.2")).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
});

test("a second process on the same folder is refused with exit code 3", () => {
  const second = run(["serve", "--data", node.dataDir, "--listen", "127.0.0.1:0"]);
  expect(second.status).toBe(3);
  expect(second.stderr).toContain("another archive-node is using this folder");
});

test("a restart keeps identity, token and certificate", async () => {
  await using dir = await tempDir("restart");
  const first = await startArchiveNode({ dataDir: dir.path });
  expect(await first.stop()).toBe(0);
  await using second = await startArchiveNode({ dataDir: dir.path });
  expect([second.nodeId, second.token, second.caPem]).toEqual([first.nodeId, first.token, first.caPem]);
});

test("after kill -9 the folder is free again at once", async () => {
  await using dir = await tempDir("killed");
  const first = await startArchiveNode({ dataDir: dir.path });
  await first.kill();
  await using second = await startArchiveNode({ dataDir: dir.path });
  expect(second.nodeId).toBe(first.nodeId);
});

test("an unreadable identity key stops the start and is never replaced", async () => {
  await using dir = await tempDir("identity");
  await (await startArchiveNode({ dataDir: dir.path })).stop();
  const file = join(localFiles(dir.path).keys, "identity.key");
  await writeFile(file, "not a key");
  const second = run(["serve", "--data", dir.path, "--listen", "127.0.0.1:0"]);
  expect(second.status).toBe(2);
  expect(second.stderr).toContain("identity.key: is not a PEM private key");
  expect(await readFile(file, "utf8")).toBe("not a key");
});

const TOKEN_WAIT = { deadlineMs: 60_000, everyMs: 200 };
/** What a request with this token is answered. */
const statusWith = (calls: Pick<ReturnType<typeof nodeClient>, "call">) => async (token: string) =>
  (await calls.call("/api/v1/collections", { headers: { authorization: `Bearer ${token}` } })).status;

test("a node whose token nobody can use starts, accepts no token, and takes a usable one", async () => {
  await using dir = await tempDir("token");
  const { token } = localFiles(dir.path);
  const first = await startArchiveNode({ dataDir: dir.path });
  await first.stop();
  await writeFile(token, "pass phrase with spaces");
  await using second = await startArchiveNode({ dataDir: dir.path });
  await using calls = nodeClient(second.url, { ca: second.caPem });
  const status = statusWith(calls);
  expect((await calls.call("/api/v1/collections")).status).toBe(200);
  expect(await status(first.token)).toBe(401);
  const fresh = randomBytes(32).toString("hex");
  await writeFile(token, fresh);
  await waitUntil("the new token", async () => (await status(fresh)) === 200, TOKEN_WAIT);
});

test("wrong usage and wrong configuration exit with 2 and name what is wrong", async () => {
  await using dir = await tempDir("usage");
  expect(run([]).status).toBe(2);
  expect(run(["serve"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("--data DIR is missing") as string,
  });
  expect(run(["serve", "--data", dir.path, "--listen", "nowhere"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("expected HOST:PORT") as string,
  });
  const file = join(dir.path, "config.json");
  await writeFile(file, JSON.stringify({ schemaVersion: 2 }));
  expect(run(["serve", "--config", file])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining(file) as string,
  });
  expect(run(["no-such-command"]).status).toBe(2);
});

test("starts from the machine's Node: the launcher finds the project's own Node", async () => {
  const help = spawnSync("/usr/bin/env", ["node", PROGRAM, "help"], { encoding: "utf8", env: systemEnv() });
  expect(help).toMatchObject({ status: 0, stdout: expect.stringContaining("archive-node serve") as string });
});

test("web serves the API over plain HTTP, replay nothing but captures, metrics probes and Prometheus text", async () => {
  const fetchText = async (url: string) => {
    const answer = await fetch(url);
    return { status: answer.status, text: await answer.text() };
  };
  expect((await fetchText(`${node.webUrl}/api/v1/collections`)).status).toBe(200);
  expect((await fetchText(`${node.webUrl}/api/v1/federation/peers`)).status).toBe(404);
  expect((await fetchText(`${node.replayUrl}/api/v1/collections`)).status).toBe(404);
  expect(await fetchText(`${node.metricsUrl}/healthz`)).toEqual({ status: 200, text: '{"status":"ok"}\n' });
  expect(await fetchText(`${node.metricsUrl}/readyz`)).toMatchObject({ status: 200 });
  const { text } = await fetchText(`${node.metricsUrl}/metrics`);
  expect(text).toContain('archivestream_node_event_loop_delay_seconds{quantile="0.99"}');
  expect(text).toContain("archivestream_http_request_duration_seconds_bucket");
});

test("a changed token is taken without a restart", async () => {
  await using own = await startArchiveNode();
  await using calls = nodeClient(own.url, { ca: own.caPem });
  const fresh = randomBytes(32).toString("hex");
  const status = statusWith(calls);
  expect(await status(own.token)).toBe(200);
  expect(await status(fresh)).toBe(401);
  await writeFile(localFiles(own.dataDir).token, fresh);
  await waitUntil("the new token", async () => (await status(fresh)) === 200, TOKEN_WAIT);
  expect(await status(own.token)).toBe(401);
});

test("a token ends when something unusable takes its place", async () => {
  await using own = await startArchiveNode();
  await using calls = nodeClient(own.url, { ca: own.caPem });
  const status = statusWith(calls);
  expect(await status(own.token)).toBe(200);
  await writeFile(localFiles(own.dataDir).token, "short");
  await waitUntil("the old token to end", async () => (await status(own.token)) === 401, TOKEN_WAIT);
  expect(await status("short")).toBe(401);
});

test("a changed certificate is served to new connections while open ones go on", async () => {
  await using own = await startArchiveNode();
  await using other = await startArchiveNode();
  await using calls = nodeClient(own.url, { ca: own.caPem });
  await calls.call("/healthz");
  const from = localFiles(other.dataDir).keys;
  const to = localFiles(own.dataDir).keys;
  for (const file of ["tls.key", "tls.crt"]) await copyFile(join(from, file), join(to, file));
  const serial = new X509Certificate(other.caPem).serialNumber;
  await waitUntil("the new certificate", async () => (await servedSerial(own)) === serial, {
    deadlineMs: 60_000,
    everyMs: 200,
  });
  expect((await calls.call("/healthz")).status).toBe(200);
});

function servedSerial(of: ArchiveNodeProcess): Promise<string> {
  return new Promise((done, failed) => {
    const port = Number(new URL(of.url).port);
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", rejectUnauthorized: false }, () => {
      done(socket.getPeerX509Certificate()?.serialNumber ?? "none");
      socket.destroy();
    });
    socket.once("error", failed);
  });
}

test("SIGTERM ends it with 0 and says so", async () => {
  const own = await startArchiveNode();
  expect(await own.stop()).toBe(0);
  expect(own.log()).toContain('"msg":"stopped"');
});

test("probes are answered while the index is made anew, and SIGTERM then ends it with 0", async () => {
  await using dir = await tempDir("starting");
  const first = await startArchiveNode({ dataDir: dir.path });
  {
    await using archive = new NodeArchive(first);
    for (const name of ["one", "two", "three"]) await archive.upload(sampleFile({ name, pages: 3_000 }).bytes);
  }
  await first.stop();
  await rm(join(dir.path, "catalog.db"));
  const metrics = `127.0.0.1:${await freePort()}`;
  const args = [PROGRAM, "serve", "--data", dir.path, "--listen", "127.0.0.1:0", "--metrics", metrics];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += String(chunk)));
  const answers = async () => (await fetch(`http://${metrics}/healthz`).catch(() => undefined))?.ok;
  await waitUntil("the first probe to be answered", answers, { deadlineMs: 60_000, everyMs: 10 });
  expect(output).not.toContain("archive-node ready");
  expect((await fetch(`http://${metrics}/readyz`)).status).toBe(503);
  child.kill("SIGTERM");
  expect((await exited)[0]).toBe(0);
  expect(output).not.toContain("AbortError");
});

test("SIGTERM to the launcher under an older Node reaches the node", async () => {
  await using dir = await tempDir("launcher");
  const args = ["node", PROGRAM, "serve", "--data", dir.path, "--listen", "127.0.0.1:0"];
  const child = spawn("/usr/bin/env", args, { env: systemEnv(), stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGTERM");
  expect((await once(child, "exit"))[0]).toBe(0);
});
