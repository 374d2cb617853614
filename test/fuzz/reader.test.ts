import { expect, test } from "vitest";
import { fuzzReader } from "./fuzz-run.ts";

/** `npm run fuzz` takes ten minutes; this is its share in every test run. */
const SECONDS = process.env["ARCHIVE_TEST_FULL"] === "1" ? 600 : 30;

test(
  "mutated archives never end in an escaped error, a hang or growth",
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const result = await fuzzReader({ seed, durationMs: SECONDS * 1000 });
    console.log(JSON.stringify(result));
    // The loop works: it ran beyond its seeds, and what it kept reached code that the seeds do not.
    expect(result.runs).toBeGreaterThan(100);
    expect(result.coverage).toBeGreaterThan(result.coverageAtStart);
  },
  (SECONDS + 120) * 1000,
);
