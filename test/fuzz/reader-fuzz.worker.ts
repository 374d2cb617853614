/**
 * The fuzzing loop, on a thread of its own: the main thread sees a hang and still has the input, which lies in shared memory
 * while it is worked on.
 */
import { parentPort, workerData } from "node:worker_threads";
import { startCoverage } from "./coverage.ts";
import { exerciseReader } from "./exercise.ts";
import type { FuzzShare, FuzzWorkerMessage } from "./fuzz-run.ts";
import { type FuzzInput, MAX_INPUT_BYTES, mutateBytes, mutateInput, wrapped } from "./mutate.ts";
import { type Random, seededRandom } from "./random.ts";
import { seedCorpus } from "./seeds.ts";

const share = workerData as FuzzShare;
const state = new Int32Array(share.state);
const current = new Uint8Array(share.input);

async function run(bytes: Buffer): Promise<void> {
  current.set(bytes);
  state[1] = bytes.length;
  Atomics.add(state, 0, 1);
  await exerciseReader(bytes);
}

/** Half of the inputs are damaged once more after wrapping; those cannot be mutated further below their wrapping. */
function nextInput(
  corpus: readonly FuzzInput[],
  random: Random,
): { readonly input: FuzzInput; readonly bytes: Buffer } {
  const input = mutateInput(random.pick(corpus), corpus, random);
  const bytes = wrapped(input).subarray(0, MAX_INPUT_BYTES);
  if (random.below(2) === 0) return { input, bytes };
  const damaged = mutateBytes(bytes, wrapped(random.pick(corpus)), random);
  return { input: { wrapping: "plain", pieces: [damaged] }, bytes: damaged };
}

async function fuzz(): Promise<FuzzWorkerMessage> {
  const random = seededRandom(share.seed);
  const coverage = startCoverage();
  const corpus = seedCorpus();
  for (const input of corpus) {
    await run(wrapped(input));
    coverage.foundNew();
  }
  const started = coverage.seen;
  let runs = corpus.length;
  for (; performance.now() < share.durationMs; runs++) {
    const { input, bytes } = nextInput(corpus, random);
    await run(bytes);
    if (coverage.foundNew()) corpus.push(input);
  }
  coverage.close();
  return { runs, corpus: corpus.length, coverageAtStart: started, coverage: coverage.seen };
}

parentPort?.postMessage(await fuzz());
