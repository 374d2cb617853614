import { readFile, rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { FuzzFinding, fuzz } from "./fuzz-run.ts";
import { PARSERS, TARGETS, type TargetName } from "./targets.ts";

const FULL = process.env["ARCHIVE_TEST_FULL"] === "1";
const READER_SECONDS = 30;
const OTHER_SECONDS = 4;

/** `npm run fuzz` takes as long as the full size; this is its share in every test run. */
function secondsOf(target: TargetName): number {
  if (FULL) return TARGETS[target].seconds;
  return target === "reader" ? READER_SECONDS : OTHER_SECONDS;
}

test.each(PARSERS.map((target) => ({ target, seconds: secondsOf(target) })))(
  "$target: $seconds s of mutated inputs never end in an escaped error, a hang or growth",
  { timeout: FULL ? 900_000 : 180_000 },
  async ({ target, seconds }) => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const result = await fuzz({ target, seed, durationMs: seconds * 1000 });
    console.log(target, JSON.stringify(result));
    // The loop works: it ran beyond its seeds, and what it kept reached code that the seeds do not.
    expect(result.runs).toBeGreaterThan(100);
    expect(result.coverage).toBeGreaterThan(result.coverageAtStart);
  },
);

test("a planted fault that only coverage leads to is found, and its input kept", async () => {
  const finding = await fuzz({ target: "planted", seed: 1, durationMs: 120_000 }).catch((error: unknown) => error);
  expect(finding).toBeInstanceOf(FuzzFinding);
  const { message, path } = finding as FuzzFinding;
  expect(message).toContain("the planted fault");
  const input = await readFile(path);
  await rm(path);
  const planted = await TARGETS.planted.load();
  expect(() => planted.exercise(input, "")).toThrow("the planted fault");
});
