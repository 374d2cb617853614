import { execFileSync } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { waitUntil } from "../../../test/testkit/wait-until.ts";
import { CaptureIndex } from "./capture-index.ts";
import { type Commit, catalogFiles } from "./catalog-calls.ts";

const LIMITS = { callMs: 1, commitMs: 20 };
const signal = AbortSignal.timeout(60_000);

test("an index that does not answer in time is the index's failure, not the question's", async () => {
  await using dir = await tempDir("slow");
  const index = new CaptureIndex({ files: catalogFiles(dir.path), readers: 1, limits: LIMITS, onDamage: () => {} });
  await index.open(signal);
  // Its thread takes longer than that to start.
  await expect(index.read("count", undefined as never, signal)).rejects.toMatchObject({ code: "INDEX_SLOW" });
  // A pipe nobody writes to holds the thread inside its transaction. Open both ways: to open it for writing alone waits
  // for a reader, which a slow machine may have ended before it came.
  const pipe = join(dir.path, "spool");
  execFileSync("mkfifo", [pipe]);
  await using held = await open(pipe, "r+");
  const entry = { collection: "web", hash: "a".repeat(64), filename: undefined, size: 1, receivedAt: "" };
  const reading = { format: "warc", compression: "none", records: 1, damaged: [] } as const;
  const commit: Commit = {
    entry,
    reading: { ...reading, digests: undefined, reason: undefined },
    ...{ spool: pipe, captures: 0, journalEnd: undefined },
  };
  const begunMs = performance.now();
  const failed = expect(index.commit(commit)).rejects.toMatchObject({ code: "INDEX_SLOW" });
  await waitUntil("the limit to pass", () => performance.now() - begunMs > 10 * LIMITS.commitMs, {
    deadlineMs: 20_000,
  });
  await held.close();
  await failed;
  await index.close();
});
