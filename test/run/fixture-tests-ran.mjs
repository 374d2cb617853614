/**
 * Fails when the fixture files are there and a test that needs them was skipped all the same. Such tests carry
 * "fixture" in their name. Reads the report of the last `npm test`. Node 20, no dependencies.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CACHE } from "../cluster/cache-folder.mjs";
import { runScript } from "./script.mjs";
import { PlainError } from "./steps.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

await runScript(() => {
  const folder = resolve(ROOT, process.env.ARCHIVE_FIXTURES ?? "../shared/fixtures");
  if (!existsSync(folder)) return 0;
  const { skippedNames } = JSON.parse(readFileSync(join(CACHE, "test-reports/total.json"), "utf8"));
  const wrong = skippedNames.filter((name) => /fixture/i.test(name));
  if (wrong.length > 0)
    throw new PlainError(`The fixture files are there, but these tests were skipped:\n${wrong.join("\n")}`);
  return 0;
});
