/** SIGTERM while uploads and queries run: what was acknowledged stays, everything else is answered or cut, in time. */
import { expect, test } from "vitest";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { NodeArchive, type SampleFile, sampleFile } from "../testkit/uploads.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const SENDERS = 4;
const ASKERS = 4;
const ANSWERS_FIRST = 6;
const DEADLINE_MS = 120_000;
/** What Kubernetes waits by default before it kills. */
const GRACE_MS = 30_000;
/** What an upload is answered that comes too late; those that ran may also be cut. */
const DRAINING = { status: 503, json: { code: "draining" } };

test("SIGTERM under load: exit 0 within the grace period, nothing acknowledged lost, nothing left half", async () => {
  await using dir = await tempDir("shutdown");
  const acknowledged: SampleFile[] = [];
  const open = new Set<SampleFile>();
  const statuses: number[] = [];
  const node = await startArchiveNode({ dataDir: dir.path });
  {
    await using archive = new NodeArchive(node);
    const sender = async (id: number): Promise<void> => {
      for (let turn = 0, sent = true; sent; turn += 1) {
        const file = sampleFile({ name: `s${id}t${turn}`, pages: 20 });
        open.add(file);
        const answer = await archive.upload(file.bytes).catch(() => undefined);
        if (answer !== undefined) open.delete(file);
        sent = answer?.status === 201;
        if (sent) acknowledged.push(file);
        else expect(answer ?? DRAINING).toMatchObject(DRAINING);
      }
    };
    const asker = async (): Promise<void> => {
      for (;;) {
        const answer = await archive
          .get("/default/cdx?url=example.org&matchType=domain&limit=100")
          .catch(() => undefined);
        if (answer === undefined) return;
        statuses.push(answer.status);
      }
    };
    const running = [
      ...Array.from({ length: SENDERS }, (_none, id) => sender(id)),
      ...Array.from({ length: ASKERS }, asker),
    ];
    await waitUntil("uploads to be answered", () => acknowledged.length >= ANSWERS_FIRST, { deadlineMs: DEADLINE_MS });
    const startedMs = performance.now();
    process.kill(node.pid, "SIGTERM");
    expect(await node.exited).toBe(0);
    expect(performance.now() - startedMs, "the grace period of Kubernetes, not a measure of speed").toBeLessThan(
      GRACE_MS,
    );
    await Promise.all(running);
  }
  expect(new Set(statuses)).toEqual(new Set([200]));
  await using again = await startArchiveNode({ dataDir: dir.path });
  await using archive = new NodeArchive(again);
  const held = new Set(await archive.hashes());
  for (const file of acknowledged) expect(held.has(file.sha256), file.word).toBe(true);
  expect(held.size).toBeLessThanOrEqual(acknowledged.length + open.size);
  const last = acknowledged.at(-1);
  await archive.searchable(last?.sha256 ?? "");
  expect(await archive.cdx(last?.urls[0] ?? "")).toHaveLength(1);
});
