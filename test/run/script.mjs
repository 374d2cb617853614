/**
 * What all entry scripts have in common: the Node they need, ending with everything they started, and failures that
 * say what to do. Runs before `npm install`; on a Node older than 20 it must get as far as saying so.
 */
import { statfsSync } from "node:fs";
import { CACHE } from "../cluster/cache-folder.mjs";
import { areChildrenEnding, endChildren, endChildrenOnSignals } from "./children.mjs";
import { failureHint, nodeProblem } from "./failure-hint.mjs";
import { PlainError } from "./steps.mjs";

/** As shells count: 128 and the signal's number. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

function freeBytes(folder) {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined; // it does not exist yet
  }
}

/**
 * Runs a script's `main`, turns its failure into an exit code, and prints only what helps.
 *
 * @param {() => Promise<number | void>} main
 * @param {{whenStopped?: string}} options what a person is told who stopped it
 */
export async function runScript(main, { whenStopped = "Run the same command again: finished steps are kept." } = {}) {
  const problem = nodeProblem(process.versions.node);
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`);
    process.exit(1);
  }
  endChildrenOnSignals((signal) => {
    process.stderr.write(`\nStopped (${signal}). ${whenStopped}\n`);
    process.exit(EXIT_CODES[signal]);
  });
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (areChildrenEnding()) return; // the signal is the reason, and says so itself
    process.stderr.write(`\n${error instanceof PlainError ? error.message : error.stack}\n`);
    const hint = failureHint(
      error.message,
      [CACHE, "/tmp"].map((folder) => [folder, freeBytes(folder)]),
    );
    if (hint !== undefined) process.stderr.write(`\n${hint}\n`);
    process.exitCode = 1;
  }
  await endChildren(); // what still runs beside the step that failed, or beyond a deadline
}
