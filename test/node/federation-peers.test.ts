/** Nodes as processes that meet, lose and find each other, told on the command line. */
import { expect, test } from "vitest";
import type { PeerRow } from "../../node/src/control/reports.ts";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { getFrom } from "../testkit/get-from-node.ts";
import { nodeCommandJson, runNodeCommand } from "../testkit/node-command.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { waitUntil } from "../testkit/wait-until.ts";

/** Promised; the commands that look take a second each on a busy machine. */
const MEET_MS = 60_000;
const FIND_OUT_MS = 90_000;
const PEERS = "/api/v1/federation/peers";

const peersOf = (node: ArchiveNodeProcess) =>
  nodeCommandJson<readonly PeerRow[]>("peer", "list", "--data", node.dataDir);

async function tell(node: ArchiveNodeProcess, ...args: readonly string[]): Promise<void> {
  const ended = await runNodeCommand(...args, "--data", node.dataDir);
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
}

const add = (node: ArchiveNodeProcess, other: ArchiveNodeProcess) =>
  tell(node, "peer", "add", other.url, "--node-id", other.nodeId);

function sees(node: ArchiveNodeProcess, other: ArchiveNodeProcess, as: Partial<PeerRow>, deadlineMs: number) {
  return waitUntil(
    `a peer seen as ${JSON.stringify(as)}`,
    async () => {
      const row = (await peersOf(node)).find(({ node_id }) => node_id === other.nodeId);
      const isSo =
        row !== undefined && Object.entries(as).every(([name, value]) => row[name as keyof PeerRow] === value);
      return isSo && row;
    },
    { deadlineMs },
  );
}

test("two Private nodes that added each other are alive to each other; one that is killed is suspect, then comes back", async () => {
  await using folder = await tempDir("peer-b");
  await using a = await startArchiveNode();
  let b = await startArchiveNode({ dataDir: folder.path });
  try {
    const claimed = await runNodeCommand("peer", "add", b.url, "--data", a.dataDir);
    expect([claimed.exitCode, claimed.stdout]).toEqual([1, ""]);
    expect(claimed.stderr).toContain(`--node-id ${b.nodeId}`);
    await Promise.all([add(a, b), add(b, a)]);
    const alive = { state: "alive", trust: "verified", admission: "approved", origin: "authored" } as const;
    await Promise.all([sees(a, b, alive, MEET_MS), sees(b, a, alive, MEET_MS)]);
    expect((await getFrom(a, PEERS)).status).toBe(401);
    await b.kill();
    await sees(a, b, { state: "suspect" }, FIND_OUT_MS);
    b = await startArchiveNode({
      dataDir: folder.path,
      args: ["--listen", new URL(b.url).host.replace("localhost", "127.0.0.1")],
    });
    await Promise.all([sees(a, b, alive, FIND_OUT_MS), sees(b, a, alive, FIND_OUT_MS)]);
    await tell(a, "peer", "block", b.nodeId);
    await sees(a, b, { state: "unknown", admission: "blocked" }, MEET_MS);
    await sees(b, a, { state: "suspect" }, FIND_OUT_MS);
    await tell(a, "peer", "approve", b.nodeId);
    await sees(b, a, { state: "alive" }, FIND_OUT_MS);
    await tell(a, "peer", "remove", b.nodeId);
    // It asks again, and waits for approval.
    await sees(a, b, { origin: "discovered", admission: "pending" }, FIND_OUT_MS);
  } finally {
    await b.stop();
  }
});

test("a third node is found by gossip, waits for approval, and is dialled after it", async () => {
  await using a = await startArchiveNode();
  await using b = await startArchiveNode({ args: ["--trust", "Public"] });
  await using c = await startArchiveNode({
    args: ["--trust", "Public", "--seed", b.url, "--allow-net", "127.0.0.0/8"],
  });
  await Promise.all([add(a, b), add(b, a), add(b, c)]);
  await sees(a, c, { origin: "discovered", admission: "pending", state: "unknown" }, FIND_OUT_MS);
  await tell(a, "peer", "approve", c.nodeId);
  await sees(a, c, { origin: "authored", admission: "approved", state: "alive" }, MEET_MS);
  const told = await getFrom(b, PEERS);
  expect(told.status).toBe(200);
  const page = JSON.parse(told.body) as {
    readonly peers: readonly { readonly node_id: string }[];
    readonly count: number;
  };
  expect(page.peers.map(({ node_id }) => node_id)).toEqual(expect.arrayContaining([a.nodeId, b.nodeId, c.nodeId]));
  const again = await getFrom(b, PEERS, { "if-none-match": told.headers["etag"] ?? "" });
  expect([again.status, again.body]).toEqual([304, ""]);
});

test("a Private node lists the seed that it was given, says how to approve it, and calls it after that", async () => {
  await using seed = await startArchiveNode({ args: ["--trust", "Public"] });
  await using node = await startArchiveNode({ args: ["--trust", "Private", "--seed", seed.url] });
  await sees(node, seed, { origin: "discovered", admission: "pending", state: "unknown" }, MEET_MS);
  await waitUntil("the command", () => node.log().includes(`archive-node peer approve ${seed.nodeId}`), {
    deadlineMs: MEET_MS,
  });
  await tell(node, "peer", "approve", seed.nodeId);
  await sees(node, seed, { admission: "approved", state: "alive", trust: "verified" }, MEET_MS);
});
