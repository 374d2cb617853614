/**
 * `npm run fuzz -- [--seconds N] [--seed N] [FILE...]`: fuzzes the archive reader, ten minutes by default. With files, runs
 * those inputs once each instead, to look at a finding again.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { exerciseReader } from "./exercise.ts";
import { fuzzReader } from "./fuzz-run.ts";

const DEFAULT_SECONDS = 600;

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string" }, seed: { type: "string" } },
  allowPositionals: true,
});

for (const path of positionals) {
  await exerciseReader(await readFile(path));
  console.log(`${path}: fine`);
}
if (positionals.length === 0) {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const seconds = Number(values.seconds ?? DEFAULT_SECONDS);
  console.log(`fuzzing the reader for ${seconds} s, seed ${seed}`);
  const result = await fuzzReader({ seed, durationMs: seconds * 1000 });
  console.log(
    `${result.runs} inputs, ${result.corpus} kept, coverage ${result.coverageAtStart} -> ${result.coverage}, no finding`,
  );
}
