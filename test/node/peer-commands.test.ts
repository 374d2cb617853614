/** `peer` and `policy` commands on the folder of a running and of a stopped node. */
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FederationDocument, TrustDocument } from "../../node/src/contract/documents.ts";
import { documentDigest } from "../../node/src/contract/sequenced-documents.ts";
import type { PeerRow, PolicyRow } from "../../node/src/control/reports.ts";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { nodeCommandJson, runNodeCommand } from "../testkit/node-command.ts";
import { tempDir } from "../testkit/temp-dir.ts";

const PEER = "ab".repeat(32);
const OTHER = "cd".repeat(32);
const ADDRESS = "https://127.0.0.1:9";
const BASE = `${ADDRESS}/api/v1/federation`;

async function documentsIn(dataDir: string) {
  const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(dataDir, name), "utf8"));
  return {
    trust: (await read("trust.json")) as TrustDocument,
    federation: (await read("federation.json")) as FederationDocument,
  };
}

/** Every change of peers and policies, each seen in what the next command prints. */
async function tellAll(data: string) {
  const on = ["--data", data];
  const peers = () => nodeCommandJson<readonly PeerRow[]>("peer", "list", ...on);
  const done = async (...args: readonly string[]) =>
    expect(await runNodeCommand(...args, ...on)).toMatchObject({ exitCode: 0 });
  await done("peer", "add", ADDRESS, "--node-id", PEER);
  await done("peer", "add", ADDRESS, "--node-id", PEER);
  expect(await peers()).toMatchObject([
    { node_id: PEER, endpoint: BASE, origin: "authored", admission: "approved", trust: "unknown" },
  ]);
  await done("peer", "block", PEER);
  expect(await peers()).toMatchObject([{ node_id: PEER, endpoint: BASE, admission: "blocked" }]);
  const blocked = await runNodeCommand("peer", "add", ADDRESS, "--node-id", PEER, ...on);
  expect(blocked.exitCode).toBe(1);
  expect(blocked.stderr).toContain(`peer approve ${PEER}`);
  await done("peer", "approve", PEER);
  expect(await peers()).toMatchObject([{ node_id: PEER, endpoint: BASE, admission: "approved" }]);
  await done("policy", "add", "copies", "--peer", PEER, "--collection", "default", "--interval", "10s");
  await done("policy", "add", "more", "--peer", "all");
  expect(await runNodeCommand("policy", "add", "more", "--peer", PEER, ...on)).toMatchObject({ exitCode: 1 });
  const rows = await nodeCommandJson<readonly PolicyRow[]>("policy", "list", ...on);
  expect(rows.map(({ name, peer, collection }) => [name, peer, collection])).toContainEqual([
    "copies",
    PEER,
    "default",
  ]);
  await done("policy", "remove", "more");
  await done("peer", "remove", PEER);
  expect(await peers()).toEqual([]);
  for (const unknown of [
    ["peer", "remove", OTHER],
    ["peer", "approve", OTHER],
    ["policy", "remove", "more"],
  ]) {
    expect(await runNodeCommand(...unknown, ...on)).toMatchObject({ exitCode: 1, stdout: "" });
  }
}

test("a stopped folder: the identity comes first, then peers and policies, and a node starts with them", async () => {
  await using folder = await tempDir("peers");
  const id = await runNodeCommand("identity", "--data", folder.path);
  expect(id.exitCode).toBe(0);
  expect(id.stdout).toMatch(/^[0-9a-f]{64}\n$/);
  await tellAll(folder.path);
  const before = await documentsIn(folder.path);
  expect(before.federation.policies).toEqual([
    { name: "copies", peers: [PEER], include: ["default"], intervalSeconds: 10 },
  ]);
  for (const document of Object.values(before)) expect(document.digest).toBe(documentDigest(document));
  await using node = await startArchiveNode({ dataDir: folder.path });
  expect(`${node.nodeId}\n`).toBe(id.stdout);
  expect(await runNodeCommand("identity", "--data", folder.path)).toEqual(id);
  expect(await documentsIn(folder.path)).toEqual(before);
  const itself = await runNodeCommand("peer", "add", ADDRESS, "--node-id", node.nodeId, "--data", folder.path);
  expect(itself.exitCode).toBe(1);
  expect(itself.stderr).toContain("is this node itself");
});

test.each([
  ["a folder", "a"],
  ["a folder whose path is too long for a socket", join("x".repeat(100), "y".repeat(100))],
])("a running node on %s takes them through its socket, which others cannot open", async (_name, below) => {
  await using folder = await tempDir("peers");
  const dataDir = join(folder.path, below);
  await mkdir(dataDir, { recursive: true });
  await using node = await startArchiveNode({ dataDir });
  expect((await stat(join(dataDir, "control.sock"))).mode & 0o777).toBe(0o600);
  await tellAll(dataDir);
  const { trust, federation } = await documentsIn(dataDir);
  expect([trust.entries, federation.peers, federation.policies.length]).toEqual([[], [], 1]);
  await node.kill();
  // The socket is still there, and nobody listens.
  expect(await nodeCommandJson("peer", "list", "--data", dataDir)).toEqual([]);
});

test("the trust mode is as given, else by seeds in a new folder, else as before", async () => {
  await using folder = await tempDir("peers");
  const modeAfter = async (...args: readonly string[]) => {
    const node = await startArchiveNode({ dataDir: folder.path, args });
    await node.stop();
    return (await documentsIn(folder.path)).trust.mode;
  };
  expect(await modeAfter("--seed", ADDRESS)).toBe("Public");
  expect(await modeAfter()).toBe("Public");
  expect(await modeAfter("--trust", "Private")).toBe("Private");
  expect(await modeAfter("--seed", ADDRESS)).toBe("Private");
});

test.each([
  [["peer", "add", "http://a.example"], "URL"],
  [["peer", "add", "https://a.example", "--node-id", "A"], "no node id"],
  [["peer", "approve"], "ID is missing"],
  [["policy", "add", "p", "--interval", "10"], "--interval"],
  [["policy", "add", "p", "--collection", "../x"], "--collection"],
  [["peer", "lost"], "unknown command"],
])("%j is a usage error", async (args, said) => {
  await using folder = await tempDir("peers");
  const ended = await runNodeCommand(...args, "--data", folder.path);
  expect([ended.exitCode, ended.stdout]).toEqual([2, ""]);
  expect(ended.stderr).toContain(said);
});
