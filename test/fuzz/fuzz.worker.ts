/**
 * The fuzzing loop, on a thread of its own: the main thread sees a hang and still has the input, which lies in shared memory
 * while it is worked on.
 */
import { parentPort, workerData } from "node:worker_threads";
import { startCoverage } from "./coverage.ts";
import type { FuzzShare, FuzzWorkerMessage } from "./fuzz-run.ts";
import { type FuzzInput, MAX_INPUT_BYTES, type MutationSource, mutateBytes, mutateInput, wrapped } from "./mutate.ts";
import { seededRandom } from "./random.ts";
import { TARGETS } from "./targets.ts";

/** However busy the machine is. */
const LEAST_MUTANTS = 300;

const share = workerData as FuzzShare;
const state = new Int32Array(share.state);
const current = new Uint8Array(share.input);
const target = await TARGETS[share.target].load();

/** The processor's time of this thread counts: the clock's depends on what else the machine does. */
async function run(bytes: Buffer): Promise<void> {
  current.set(bytes);
  state[1] = bytes.length;
  Atomics.add(state, 0, 1);
  const before = process.threadCpuUsage();
  await target.exercise(bytes, share.folder);
  const { user, system } = process.threadCpuUsage(before);
  const cpuMs = Math.round((user + system) / 1_000);
  if (cpuMs > target.maxCpuMs) throw new Error(`took ${cpuMs} ms of processor time`);
}

/** Inputs kept last have been mutated least: half of the picks are among them. */
const LATEST = 8;

function pickInput({ corpus, random }: MutationSource): FuzzInput {
  return random.pick(random.below(2) === 0 ? corpus : corpus.slice(-LATEST));
}

/** Half of the wrapped inputs are damaged once more; those cannot be mutated further below their wrapping. */
function nextInput(source: MutationSource): { readonly input: FuzzInput; readonly bytes: Buffer } {
  const { corpus, random } = source;
  const input = mutateInput(pickInput(source), source);
  const bytes = wrapped(input).subarray(0, MAX_INPUT_BYTES);
  if (input.wrapping === "plain" || random.below(2) === 0) return { input, bytes };
  const damaged = mutateBytes(bytes, wrapped(random.pick(corpus)), source);
  return { input: { wrapping: "plain", pieces: [damaged] }, bytes: damaged };
}

async function fuzz(): Promise<FuzzWorkerMessage> {
  // NOTE: the clock of a worker starts with the process.
  const endMs = performance.now() + share.durationMs;
  const coverage = startCoverage(target.watched);
  const corpus = [...target.seeds()];
  const words = target.words.map((word) => (typeof word === "string" ? Buffer.from(word) : word));
  const source: MutationSource = { corpus, words, random: seededRandom(share.seed) };
  for (const input of corpus) {
    await run(wrapped(input));
    coverage.foundNew();
  }
  const started = coverage.seen;
  let runs = corpus.length;
  const least = runs + LEAST_MUTANTS;
  for (; performance.now() < endMs || runs < least; runs++) {
    const { input, bytes } = nextInput(source);
    await run(bytes);
    if (coverage.foundNew()) corpus.push(input);
  }
  coverage.close();
  return { runs, corpus: corpus.length, coverageAtStart: started, coverage: coverage.seen };
}

parentPort?.postMessage(await fuzz());
