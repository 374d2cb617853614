/**
 * Writes everything that is made from the schemas: `crds/*.yaml` (for kubectl), the chart's copies of them, and the
 * reference page. Equal sources give equal files, so a check can compare them with what is committed.
 *
 * `--release` also writes `crds/released/`, the baseline of the compatibility gate: run it when publishing, never to
 * silence the gate.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { generatedFiles } from "./generated-files.ts";

const root = join(import.meta.dirname, "../..");
for (const [path, text] of Object.entries(generatedFiles({ release: process.argv.includes("--release") }))) {
  const target = join(root, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text);
  process.stdout.write(`${path}\n`);
}
