/** Test projects: `unit` needs nothing but npm dependencies; the others name the real servers they start. */
import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], timeoutMs: number, options = {}) => ({
  test: { name, include, environment: "node" as const, testTimeout: timeoutMs, hookTimeout: timeoutMs, ...options },
});

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      project("unit", ["{crds,node,operator,pulumi}/**/*.test.ts", "test/{testkit,run}/**/*.test.ts"], 30_000),
      project("node", ["test/node/**/*.test.ts", "test/interop/**/*.test.ts", "test/fuzz/**/*.test.ts"], 300_000),
      project("integration", ["test/integration/**/*.test.ts", "charts/tests/**/*.test.ts"], 180_000),
      // One file after the other: they install and remove the same release.
      project("e2e", ["test/e2e/**/*.test.ts"], 600_000, { fileParallelism: false }),
    ],
  },
});
