/** A process that may open no further file refuses with a reason, blames no file for it, and goes on when it may again. */
import { execFileSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { possible } from "../testkit/no-hard-links.ts";
import { NodeArchive, sampleFile } from "../testkit/uploads.ts";

const withPrlimit = test.skipIf(!possible(() => execFileSync("prlimit", ["--version"], { stdio: "pipe" })));

/** @param files - how many more may be opened; absent: the limit from before */
async function limitHandles(pid: number, files: number | undefined, before: string): Promise<void> {
  const open = (await readdir(`/proc/${pid}/fd`)).length;
  const limit = files === undefined ? before : `${open + files}`;
  execFileSync("prlimit", ["--pid", String(pid), `--nofile=${limit}:`], { stdio: "pipe" });
}

withPrlimit("out of file handles, uploads are refused as the node's trouble, and taken afterwards", async () => {
  await using node = await startArchiveNode();
  await using archive = new NodeArchive(node);
  const held = sampleFile({ name: "held", pages: 2 });
  expect((await archive.upload(held.bytes)).status).toBe(201);
  await archive.searchable(held.sha256);
  const before = execFileSync("prlimit", ["--pid", String(node.pid), "--nofile", "-o", "SOFT", "--noheadings"], {
    encoding: "utf8",
  }).trim();
  const file = sampleFile({ name: "later", pages: 3 });
  // From none at all to one short of enough: each step of storing meets the limit once.
  for (let files = 0; files < 4; files += 1) {
    await limitHandles(node.pid, files, before);
    const answer = await archive.upload(file.bytes);
    if (answer.status === 201) break;
    expect(answer, `${files} handles`).toMatchObject({ status: 503, json: { code: "storage-unavailable" } });
    expect(answer.text).toContain("too many files are open");
  }
  await limitHandles(node.pid, undefined, before);
  expect([200, 201]).toContain((await archive.upload(file.bytes)).status);
  await archive.searchable(file.sha256);
  expect(await archive.search(file.word)).toHaveLength(3);
  expect(await archive.search(held.word)).toHaveLength(2);
});
