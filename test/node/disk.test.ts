/** Volumes that are full or refuse writes: uploads are refused with a reason, reads go on, the node heals by itself. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { type ConfiguredNode, configuredNode } from "../testkit/node-config.ts";
import { canMount, readOnlyCover, type SmallVolume, smallVolume } from "../testkit/small-volume.ts";
import { NodeArchive, nothingIncoming, type SampleFile, sampleFile } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const MIB = 1024 ** 2;
const DEADLINE_MS = 60_000;
const mounted = test.skipIf(!canMount());

async function expectReads(archive: NodeArchive, file: SampleFile): Promise<void> {
  expect(await archive.cdx(file.urls[0] ?? "")).toHaveLength(1);
  expect((await archive.content(file.sha256)).status).toBe(200);
  expect(await archive.search(file.word)).toHaveLength(file.urls.length);
}

async function expectDegraded(archive: NodeArchive, settings: ConfiguredNode, message: string): Promise<void> {
  expect(await archive.get("/readyz")).toMatchObject({ status: 200, json: { phase: "Degraded" } });
  expect(await settings.status()).toMatchObject({
    phase: "Degraded",
    message: expect.stringContaining(message) as string,
  });
}

const serving = (settings: ConfiguredNode) =>
  waitUntil("the node to serve again", async () => (await settings.status()).phase === "Serving", {
    deadlineMs: DEADLINE_MS,
  });

async function onSmallVolume(
  reserveBytes: number,
  check: (parts: { archive: NodeArchive; settings: ConfiguredNode; volume: SmallVolume; dataDir: string }) => unknown,
): Promise<void> {
  using volume = smallVolume(64 * MIB);
  const dataDir = join(volume.path, "data");
  await using settings = await configuredNode({ dataDir, limits: { reserveBytes } });
  await using node = await startArchiveNode({ dataDir, args: ["--config", settings.configFile] });
  await using archive = new NodeArchive(node);
  await check({ archive, settings, volume, dataDir });
}

mounted("a volume that is full to its reserve refuses uploads with 507, goes on reading, and heals", () =>
  onSmallVolume(8 * MIB, async ({ archive, settings, volume, dataDir }) => {
    const held = sampleFile({ name: "before", pages: 2 });
    expect((await archive.upload(held.bytes)).status).toBe(201);
    await archive.searchable(held.sha256);
    const free = await volume.fill(6 * MIB);
    const refused = sampleFile({ name: "refused", pages: 2 });
    expect(await archive.upload(refused.bytes)).toMatchObject({ status: 507, json: { code: "storage-full" } });
    await expectDegraded(archive, settings, "free space or grow the volume");
    await expectReads(archive, held);
    await nothingIncoming(dataDir);
    await free();
    await serving(settings);
    expect((await archive.upload(refused.bytes)).status).toBe(201);
  }),
);

mounted("without a byte left, an upload leaves nothing and what is held can be read", () =>
  onSmallVolume(0, async ({ archive, settings, volume, dataDir }) => {
    const held = sampleFile({ name: "first", pages: 2 });
    expect((await archive.upload(held.bytes)).status).toBe(201);
    await archive.searchable(held.sha256);
    const large = sampleFile({ name: "large", pages: 40, padding: randomBytes(32 * 1024) });
    for (const left of [0, 64 * 1024, 256 * 1024, MIB]) {
      const free = await volume.fill(left);
      expect(await archive.upload(large.bytes), `${left} bytes left`).toMatchObject({
        status: 507,
        json: { code: "storage-full" },
      });
      await expectReads(archive, held);
      expect(await archive.state(large.sha256)).toBeUndefined();
      await free();
    }
    await serving(settings);
    expect((await archive.upload(large.bytes)).status).toBe(201);
    expect(await archive.hashes()).toHaveLength(2);
    await nothingIncoming(dataDir);
  }),
);

mounted(
  "a volume that fills up while text is indexed loses nothing, says so, and goes on by itself when there is room",
  () =>
    onSmallVolume(0, async ({ archive, settings, volume, dataDir }) => {
      const file = sampleFile({ name: "late", pages: 60, padding: randomBytes(16 * 1024) });
      let free: () => Promise<void>;
      {
        // Keeps the indexer waiting until the volume is full.
        using other = new DatabaseSync(join(dataDir, "fulltext.db"));
        other.exec("BEGIN IMMEDIATE");
        expect((await archive.upload(file.bytes)).status).toBe(201);
        free = await volume.fill(0);
      }
      await waitUntil("the node to be degraded", async () => (await settings.status()).phase === "Degraded", {
        deadlineMs: DEADLINE_MS,
      });
      await expectDegraded(archive, settings, "free space or grow the volume");
      expect(await archive.state(file.sha256)).toBe("captured");
      expect(await archive.cdx(file.urls[0] ?? "")).toHaveLength(1);
      await free();
      await archive.searchable(file.sha256);
      await serving(settings);
      expect(await archive.search(file.word)).not.toEqual([]);
    }),
);

mounted("a volume that refuses writes answers 503, goes on reading, and heals", () =>
  onSmallVolume(0, async ({ archive, settings, dataDir }) => {
    const held = sampleFile({ name: "held", pages: 2 });
    expect((await archive.upload(held.bytes)).status).toBe(201);
    await archive.searchable(held.sha256);
    const late = sampleFile({ name: "late", pages: 1 });
    {
      using _cover = readOnlyCover(join(dataDir, "incoming"));
      expect(await archive.upload(late.bytes)).toMatchObject({ status: 503, json: { code: "storage-unavailable" } });
      await expectDegraded(archive, settings, "cannot be written");
      await expectReads(archive, held);
    }
    await serving(settings);
    expect((await archive.upload(late.bytes)).status).toBe(201);
  }),
);
