/** The commands of `archive-node` and their dispatch. A command returns its exit code. */
import { StartError } from "../config/errors.ts";
import { EXIT_CODES } from "../contract/exit-codes.ts";
import type { CommandIo } from "./command-io.ts";
import { exitCodeOf, messageOf } from "./exit-code.ts";

type Command = (args: readonly string[]) => Promise<number>;

/** Loaded on use: `warc check` must not pay for the server. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import("./serve.ts")).serve,
  identity: async () => (await import("./identity.ts")).identity,
  rebuild: async () => (await import("./rebuild.ts")).rebuild,
  "warc check": async () => {
    const { runWarcCheck } = await import("./warc-check.ts");
    return interruptible(runWarcCheck);
  },
  "warc index": async () => {
    const { runWarcIndex } = await import("./warc-index.ts");
    return interruptible(runWarcIndex);
  },
};

export const USAGE = `archive-node: a web archive in one program

  archive-node serve --data DIR [--config FILE] [--listen HOST:PORT] [--web HOST:PORT]
                     [--replay HOST:PORT] [--metrics HOST:PORT]
      Runs the archive. Makes keys and an access token under DIR at the first start.
      --listen   HTTPS with the node's own certificate (default 127.0.0.1:8443)
      --web      the same over plain HTTP; --replay archived content only; --metrics probes and Prometheus
  archive-node identity --data DIR
      Prints the node id.
  archive-node rebuild --data DIR [--config FILE] [--adopt COLLECTION]
      Makes all indexes anew from the stored files, each in the collections it was in. --adopt: where files go of which
      neither the journal nor the former catalog says anything; without it they stay stored and are shown nowhere.
  archive-node warc check [--json] FILE...
      Reads files and says what is damaged. Exit 0: clean, 1: damaged, 2: cannot be read.
  archive-node warc index FILE...
      Prints sorted CDXJ. Exit codes as of warc check; 130 for both: ended by Ctrl-C.
`;

/** Ctrl-C ends a command between two records, without a word; a second one at once. */
function interruptible(run: (args: readonly string[], io: CommandIo) => Promise<number>): Command {
  return async (args) => {
    const interrupted = new AbortController();
    process.once("SIGINT", () => interrupted.abort());
    try {
      return await run(args, { stdout: process.stdout, stderr: process.stderr, signal: interrupted.signal });
    } catch (error) {
      if (!interrupted.signal.aborted) throw error;
      return EXIT_CODES.interrupted;
    }
  };
}

export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    const [first, second] = args;
    if (first === undefined || first === "help" || args.includes("--help")) {
      process.stdout.write(USAGE);
      return first === undefined ? EXIT_CODES.usage : EXIT_CODES.ok;
    }
    const load = COMMANDS[first] ?? COMMANDS[`${first} ${second}`];
    if (load === undefined)
      throw new StartError("BAD_USAGE", { reason: `unknown command "${first}"; see archive-node help` });
    const command = await load();
    return await command(args.slice(first in COMMANDS ? 1 : 2));
  } catch (error) {
    process.stderr.write(`archive-node: ${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}
