/**
 * `npm run fuzz -- [--target NAME] [--seconds N] [--seed N] [FILE...]`: fuzzes every parser of foreign bytes in turn, or one:
 * ten minutes for the archive reader, two for each other. With files, runs those inputs once each on the target instead, to
 * look at a finding again.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { tempDir } from "../testkit/temp-dir.ts";
import { fuzz } from "./fuzz-run.ts";
import { isTargetName, PARSERS, TARGETS, type TargetName } from "./targets.ts";

const { values, positionals } = parseArgs({
  options: { target: { type: "string" }, seconds: { type: "string" }, seed: { type: "string" } },
  allowPositionals: true,
});

function wanted(): readonly TargetName[] {
  const name = values.target ?? (positionals.length === 0 ? undefined : "reader");
  if (name === undefined) return PARSERS;
  if (isTargetName(name)) return [name];
  throw new Error(`no target ${name}: one of ${Object.keys(TARGETS).join(", ")}`);
}

for (const target of wanted()) {
  if (positionals.length > 0) {
    await using folder = await tempDir("fuzz");
    const { exercise } = await TARGETS[target].load();
    for (const path of positionals) {
      await exercise(await readFile(path), folder.path);
      console.log(`${path}: fine`);
    }
    continue;
  }
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const seconds = Number(values.seconds ?? TARGETS[target].seconds);
  console.log(`${target}: ${seconds} s, seed ${seed}`);
  const { runs, corpus, coverageAtStart, coverage } = await fuzz({ target, seed, durationMs: seconds * 1000 });
  console.log(`${runs} inputs, ${corpus} kept, coverage ${coverageAtStart} -> ${coverage}, no finding`);
}
