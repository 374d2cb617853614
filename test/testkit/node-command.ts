/** Runs a command of `archive-node` to its end. */
import { execFile } from "node:child_process";
import { resolve } from "node:path";

const PROGRAM = resolve(import.meta.dirname, "../../node/bin/archive-node");
const COMMAND_MS = 60_000;

export interface EndedCommand {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function runNodeCommand(...args: readonly string[]): Promise<EndedCommand> {
  return new Promise((done) => {
    execFile(process.execPath, [PROGRAM, ...args], { timeout: COMMAND_MS }, (error, stdout, stderr) => {
      done({ exitCode: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** What a command with `--json` prints. @throws {Error} with its standard error when it does not end with 0 */
export async function nodeCommandJson<T>(...args: readonly string[]): Promise<T> {
  const { exitCode, stdout, stderr } = await runNodeCommand(...args, "--json");
  if (exitCode !== 0) throw new Error(`archive-node ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
  return JSON.parse(stdout) as T;
}
