/** A test that fails once and then passes: the run is green, and says so by name. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tempDir } from "../testkit/temp-dir.ts";
import { output } from "./command.mjs";
import { ROOT, toolEnv } from "./dependencies.mjs";

const FLAKY = `
import { existsSync, writeFileSync } from "node:fs";
import { expect, test } from "${ROOT}node_modules/vitest/dist/index.js";
test("passes at once", () => expect(1).toBe(1));
test("passes at the second try", () => {
  const wasHere = existsSync("was-here");
  writeFileSync("was-here", "");
  expect(wasHere).toBe(true);
});
`;

test("a test that passes when it is tried again is named with what failed", async () => {
  await using folder = await tempDir("retried");
  const noted = join(folder.path, "retried.ndjson");
  await writeFile(join(folder.path, "flaky.test.ts"), FLAKY);
  const reporter = `--reporter=${ROOT}test/run/retried-tests.mjs`;
  await output("vitest", ["run", "--retry=1", "--root", folder.path, reporter], {
    cwd: folder.path,
    env: { ...toolEnv(), ARCHIVE_RETRIED_TESTS: noted },
  });
  const lines = (await readFile(noted, "utf8")).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { name: "flaky.test.ts: passes at the second try", reason: "expected false to be true // Object.is equality" },
  ]);
});
