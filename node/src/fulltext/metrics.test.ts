import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createFullTextMetrics } from "./metrics.ts";

const linesOf = async (registry: Registry): Promise<string[]> => (await registry.metrics()).split("\n");

test("measures from commit to searchable, and only what it saw committed", async () => {
  const registry = new Registry();
  let nowMs = 1_000;
  const metrics = createFullTextMetrics(registry, () => nowMs);
  metrics.committed(7);
  metrics.committed(8);
  expect(await linesOf(registry)).toContain("archivestream_index_pending_files 2");
  nowMs = 3_500;
  metrics.observe({ kind: "indexed", sequence: 6, hash: "", captures: 1 });
  metrics.observe({ kind: "indexed", sequence: 7, hash: "", captures: 1 });
  metrics.observe({ kind: "failed", sequence: 8, hash: "", reason: "unreadable" });
  expect(await linesOf(registry)).toContain("archivestream_index_lag_seconds_count 1");
  expect(await linesOf(registry)).toContain("archivestream_index_lag_seconds_sum 2.5");
  expect(await linesOf(registry)).toContain("archivestream_index_pending_files 0");
  expect(await linesOf(registry)).toContain('archivestream_index_files_total{outcome="indexed"} 2');
  expect(await linesOf(registry)).toContain('archivestream_index_files_total{outcome="failed"} 1');
});
