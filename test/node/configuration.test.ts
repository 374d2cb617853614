/** A configuration file outside Kubernetes, as node/README.md tells a person to write it. */
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import type { NodeConfig } from "../../node/src/contract/config-schema.ts";
import { type ArchiveNodeProcess, localFiles, startArchiveNode } from "../testkit/archive-node-process.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { NodeArchive, sampleFile } from "../testkit/uploads.ts";

const README = resolve(import.meta.dirname, "../../node/README.md");

async function example(): Promise<NodeConfig> {
  const block = /```json\n(.*?)\n```/s.exec(await readFile(README, "utf8"))?.[1];
  return JSON.parse(block ?? "null") as NodeConfig;
}

test("the example starts in an empty folder, makes its keys and token there, and keeps them", async () => {
  await using dir = await tempDir("configured");
  const dataDir = join(dir.path, "data");
  const config = join(dir.path, "config.json");
  await writeFile(config, JSON.stringify({ ...(await example()), dataDir }));
  const start = () => startArchiveNode({ dataDir, web: true, args: ["--config", config] });
  const file = sampleFile({ name: "manual", pages: 1 });
  const seen: Pick<ArchiveNodeProcess, "nodeId" | "token">[] = [];
  for (const status of [201, 200]) {
    await using node = await start();
    await using archive = new NodeArchive(node);
    expect((await archive.upload(file.bytes, "manuals")).status).toBe(status);
    expect((await archive.get("/default/cdx?url=example.org")).status).toBe(404);
    seen.push({ nodeId: node.nodeId, token: node.token });
  }
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[0]?.token).toBe((await readFile(localFiles(dataDir).token, "utf8")).trim());
});

test("a member that this version does not know is named in the log, and the node starts without it", async () => {
  await using dir = await tempDir("configured");
  const dataDir = join(dir.path, "data");
  const config = join(dir.path, "config.json");
  const { listen, ...rest } = await example();
  await writeFile(config, JSON.stringify({ ...rest, dataDir, listen: { ...listen, quic: "[::]:1" }, later: true }));
  await using node = await startArchiveNode({ dataDir, web: true, args: ["--config", config] });
  expect(node.log()).toContain('"members":["/listen/quic","/later"]');
});

test("an admin port without the operator's keys is refused by the name of the member", async () => {
  await using dir = await tempDir("configured");
  const config = join(dir.path, "config.json");
  const { listen, ...rest } = await example();
  await writeFile(config, JSON.stringify({ ...rest, listen: { ...listen, admin: "127.0.0.1:8444" } }));
  const start = startArchiveNode({ dataDir: join(dir.path, "data"), args: ["--config", config] });
  await expect(start).rejects.toThrow(/ended with 2 .*\/files\/adminTls/s);
});

test("an exclusion that would exclude nothing is refused by its place, with what to write", async () => {
  await using dir = await tempDir("configured");
  const config = join(dir.path, "config.json");
  const collections = [{ name: "manuals", access: "Public", embargoSeconds: 0, exclude: ["example.org", "private"] }];
  await writeFile(config, JSON.stringify({ ...(await example()), collections }));
  const start = startArchiveNode({ dataDir: join(dir.path, "data"), args: ["--config", config] });
  await expect(start).rejects.toThrow(/ended with 2 .*\/collections\/0\/exclude\/1: .*write a URL or its beginning/s);
});
