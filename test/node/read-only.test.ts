/** A whole volume that takes no writes, under a node that runs and under one that starts. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { configuredNode } from "../testkit/node-config.ts";
import { canMount, readOnlyFolder, smallVolume } from "../testkit/small-volume.ts";
import { NodeArchive, sampleFile } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const VOLUME_BYTES = 64 * 1024 ** 2;
const DEADLINE_MS = 60_000;

test.skipIf(!canMount())("on a read-only volume a node goes on reading and heals; none starts there", async () => {
  using volume = smallVolume(VOLUME_BYTES);
  const dataDir = join(volume.path, "data");
  await using settings = await configuredNode({ dataDir, limits: { reserveBytes: 0 } });
  const start = () => startArchiveNode({ dataDir, args: ["--config", settings.configFile] });
  const held = sampleFile({ name: "held", pages: 2 });
  const late = sampleFile({ name: "late", pages: 1 });
  {
    await using node = await start();
    await using archive = new NodeArchive(node);
    expect((await archive.upload(held.bytes)).status).toBe(201);
    await archive.searchable(held.sha256);
    const phase = (wanted: string) =>
      waitUntil(`phase ${wanted}`, async () => (await settings.status()).phase === wanted, { deadlineMs: DEADLINE_MS });
    {
      using _readOnly = readOnlyFolder(dataDir);
      expect(await archive.upload(late.bytes)).toMatchObject({ status: 503, json: { code: "storage-unavailable" } });
      await phase("Degraded");
      const [url = ""] = held.urls;
      expect(await archive.cdx(url)).toHaveLength(1);
      expect((await archive.get(`/default/2026id_/${url}`)).text).toContain(held.word);
      expect((await archive.content(held.sha256)).status).toBe(200);
      expect(await archive.search(held.word)).toHaveLength(2);
    }
    await phase("Serving");
    expect((await archive.upload(late.bytes)).status).toBe(201);
  }
  {
    using _readOnly = readOnlyFolder(dataDir);
    await expect(start()).rejects.toThrow(/ended with 3 .*read-?only/is);
  }
  await using node = await start();
  await using archive = new NodeArchive(node);
  expect(await archive.hashes()).toHaveLength(2);
});
