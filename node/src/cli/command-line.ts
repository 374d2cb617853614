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
  withdraw: async () => (await import("./withdraw.ts")).withdraw,
  rebuild: async () => (await import("./rebuild.ts")).rebuild,
  "peer add": async () => (await import("./peer.ts")).peerAdd,
  "peer list": async () => (await import("./peer.ts")).peerList,
  "peer remove": async () => (await import("./peer.ts")).peerRemove,
  "peer approve": async () => (await import("./peer.ts")).peerApprove,
  "peer block": async () => (await import("./peer.ts")).peerBlock,
  "policy add": async () => (await import("./policy.ts")).policyAdd,
  "policy list": async () => (await import("./policy.ts")).policyList,
  "policy remove": async () => (await import("./policy.ts")).policyRemove,
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
                     [--replay HOST:PORT] [--metrics HOST:PORT] [--trust Public|Private]
                     [--seed URL]... [--advertise URL] [--allow-net CIDR]...
      Runs the archive. Makes keys and an access token under DIR at the first start.
      --listen   HTTPS with the node's own certificate (default 127.0.0.1:8443)
      --web      the same over plain HTTP; --replay archived content only; --metrics probes and Prometheus
      --trust    who may peer: anyone, or peers that were added here (default: as before; in a new folder Public with
                 --seed, else Private)
      --seed     an archive to ask first who else there is; --advertise the address that peers are told
      --allow-net  a private network in which learnt addresses may be dialled, for labs
  archive-node identity --data DIR
      Prints the node id; makes the identity where there is none yet.
  archive-node peer add URL [--node-id ID] --data DIR
      Trusts and dials an archive. Without --node-id: shows who claims to be there, and ends with 1.
  archive-node peer list [--json] --data DIR
  archive-node peer remove|approve|block ID --data DIR
      approve: trusts one that was discovered or blocked; block: refuses it whatever else is said of it.
  archive-node policy add NAME [--peer ID|all] [--collection NAME] [--interval 5m] --data DIR
      Copies what the peers have and this archive lacks, again and again.
  archive-node policy list [--json] --data DIR
  archive-node policy remove NAME --data DIR
  archive-node withdraw HASH [--collection NAME] --data DIR
      Takes a file out of a collection (default if not given), with its captures and its text, and off the disk when no
      other collection holds it. It is remembered: copies from peers do not bring it back, uploads only with ?again=true.
      Peer, policy and withdraw commands work whether a node runs on the folder or not.
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
