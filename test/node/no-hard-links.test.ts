/** An archive on a volume without hard links: stores, answers, survives a kill, and takes back what it refused. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { fatVolume, possible, withoutLinks } from "../testkit/no-hard-links.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { NodeArchive, nothingIncoming, sampleFile } from "../testkit/uploads.ts";

const VOLUME_BYTES = 512 * 1024 ** 2;
const onFat = test.skipIf(!possible(() => fatVolume(VOLUME_BYTES)[Symbol.dispose]()));
const withCompiler = test.skipIf(!possible(() => execFileSync("cc", ["--version"], { stdio: "pipe" })));

async function expectStores(dataDir: string, env: Readonly<Record<string, string>>): Promise<void> {
  const files = ["a", "b"].map((name) => sampleFile({ name, pages: 3 }));
  const node = await startArchiveNode({ dataDir, env });
  {
    await using archive = new NodeArchive(node);
    for (const file of files) expect(await archive.upload(file.bytes)).toMatchObject({ status: 201 });
    expect((await archive.upload(files[0]?.bytes ?? Buffer.alloc(0))).status).toBe(200);
    expect(await archive.upload(Buffer.from("no archive"))).toMatchObject({ status: 422 });
    await nothingIncoming(dataDir);
  }
  await node.kill();
  await using again = await startArchiveNode({ dataDir, env });
  await using archive = new NodeArchive(again);
  for (const file of files) {
    await archive.searchable(file.sha256);
    expect(await archive.search(file.word)).toHaveLength(3);
    expect((await archive.content(file.sha256)).status).toBe(200);
  }
}

onFat("a FAT volume holds an archive", async () => {
  using volume = fatVolume(VOLUME_BYTES);
  await expectStores(join(volume.path, "data"), {});
});

withCompiler("a volume that refuses hard links holds an archive", async () => {
  await using dir = await tempDir("no-links");
  const env = withoutLinks(dir.path);
  expect(() =>
    execFileSync("ln", [env["LD_PRELOAD"] ?? "", join(dir.path, "second")], {
      env: { ...process.env, ...env },
      stdio: "pipe",
    }),
  ).toThrow();
  await expectStores(join(dir.path, "data"), env);
});
