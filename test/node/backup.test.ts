/** Copies of a running archive's folder: what node/README.md says is safe brings back everything acknowledged before it. */
import { execFile, spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { NodeArchive, type SampleFile, sampleFile } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const PROGRAM = resolve(import.meta.dirname, "../../node/bin/archive-node");
const DEADLINE_MS = 120_000;

/** Uploads without pause until told to stop. */
function sending(archive: NodeArchive, acknowledged: SampleFile[]) {
  let stopped = false;
  const done = (async () => {
    for (let turn = 0; !stopped; turn += 1) {
      const file = sampleFile({ name: `b${turn}`, pages: 10 });
      expect((await archive.upload(file.bytes)).status).toBe(201);
      acknowledged.push(file);
    }
  })();
  return () => {
    stopped = true;
    return done;
  };
}

async function copied(to: string, copy: (from: string, to: string) => Promise<void>): Promise<readonly SampleFile[]> {
  await using node = await startArchiveNode();
  await using archive = new NodeArchive(node);
  const acknowledged: SampleFile[] = [];
  const stop = sending(archive, acknowledged);
  await waitUntil("some uploads", () => acknowledged.length >= 4, { deadlineMs: DEADLINE_MS });
  const before = [...acknowledged];
  await copy(node.dataDir, to);
  await waitUntil("more uploads", () => acknowledged.length > before.length, { deadlineMs: DEADLINE_MS });
  await stop();
  return before;
}

async function expectAll(dataDir: string, files: readonly SampleFile[]): Promise<void> {
  await using node = await startArchiveNode({ dataDir });
  await using archive = new NodeArchive(node);
  for (const file of files) {
    await archive.searchable(file.sha256);
    expect(await archive.cdx(file.urls[0] ?? "")).toHaveLength(1);
    expect((await archive.content(file.sha256)).status).toBe(200);
  }
  expect(await archive.search(files[0]?.word ?? "")).toHaveLength(10);
}

/** As an administrator copies: files that are gone when their turn comes are reported by `cp`, and passed over. */
async function copyInOrder(from: string, names: readonly string[], to: string): Promise<void> {
  const env = { ...process.env, LC_ALL: "C" };
  const run = promisify(execFile)("cp", ["-a", ...names.map((name) => join(from, name)), to], { env });
  const complaints = await run.then(
    () => "",
    ({ stderr }: { stderr: string }) => stderr,
  );
  const other = complaints.split("\n").filter((line) => line !== "" && !line.endsWith("No such file or directory"));
  expect(other).toEqual([]);
}

test("the journal first and the files second, copied while uploads run, make a whole archive", async () => {
  await using dir = await tempDir("backup");
  const files = await copied(dir.path, (from, to) =>
    copyInOrder(from, ["journal.ndjson", "blobs", "keys", "access-token"], to),
  );
  await expectAll(dir.path, files);
});

test("a whole folder copied while it was written needs a rebuild at most", async () => {
  await using dir = await tempDir("backup");
  const files = await copied(dir.path, async (from, to) => {
    const others = (await readdir(from)).filter((name) => name !== "journal.ndjson");
    await copyInOrder(from, ["journal.ndjson", ...others], to);
  });
  const rebuilt = spawnSync(process.execPath, [PROGRAM, "rebuild", "--data", dir.path, "--adopt", "default"], {
    ...{ encoding: "utf8", timeout: DEADLINE_MS },
  });
  expect(rebuilt.status, rebuilt.stderr).toBe(0);
  await expectAll(dir.path, files);
});
