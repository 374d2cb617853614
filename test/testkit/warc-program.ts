/** Runs `archive-node warc check|index` as users do, as a process of its own, and says how much memory it took. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../node/bin/archive-node", import.meta.url));
const REPORT_MEMORY = new URL("./report-memory.mjs", import.meta.url);
const MAX_OUTPUT_BYTES = 256 << 20;

export interface WarcProgramRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Of the process that did the work. */
  readonly maxRssBytes: number;
  /** Of the same process, start included. */
  readonly cpuSeconds: number;
}

/** What `warc check --json` prints per file. */
export interface CheckLine {
  readonly file: string;
  readonly format: string;
  readonly records: number;
  readonly types: Readonly<Record<string, number>>;
  readonly damaged: readonly { readonly offset: number; readonly length: number; readonly reason: string }[];
  readonly digests: { readonly verified: number; readonly mismatched: number; readonly unsupported: number };
  readonly bytes: number;
}

/** @param args - what follows `archive-node` */
export async function runWarcProgram(args: readonly string[], signal: AbortSignal): Promise<WarcProgramRun> {
  const env = { ...process.env, NODE_OPTIONS: `--import=${REPORT_MEMORY.href}` };
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [PROGRAM, ...args],
      { env, signal, maxBuffer: MAX_OUTPUT_BYTES },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== "number") {
          reject(error);
          return;
        }
        const exitCode = error === null ? 0 : Number(error.code);
        resolve({ exitCode, stdout, stderr, ...costIn(stderr) });
      },
    );
  });
}

/** The last report is that of the process that did the work. */
function costIn(stderr: string): Pick<WarcProgramRun, "maxRssBytes" | "cpuSeconds"> {
  const report = [...stderr.matchAll(/\{"maxRssBytes":.*\}/g)].at(-1);
  return JSON.parse(report?.[0] ?? "{}") as Pick<WarcProgramRun, "maxRssBytes" | "cpuSeconds">;
}

/** `warc check --json` of one file. */
export async function checkFile(
  path: string,
  signal: AbortSignal,
): Promise<{ readonly line: CheckLine; readonly run: WarcProgramRun }> {
  const run = await runWarcProgram(["warc", "check", "--json", path], signal);
  return { line: JSON.parse(run.stdout) as CheckLine, run };
}
