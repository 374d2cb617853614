/** Starts one server as a child process that cannot outlive us, waits until it serves, and ends it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { type WaitOptions, WaitTimeoutError, waitUntil } from "../testkit/wait-until.ts";

export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** How it ended, for instance `1` or `SIGKILL`; undefined while it runs. */
  readonly ended: number | string | undefined;
  /** Asks it to end, and kills it when it has not after `graceMs` (0 = kill at once). Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
  /** Stops (`SIGSTOP`) or continues (`SIGCONT`) it, as a machine that hangs would. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** After `stop`: starts it with the same arguments; its log goes on. */
  startAgain(): Promise<void>;
}

export interface ServerCommand {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Where its output goes; the folder exists. */
  readonly logPath: string;
}

/** Lines of the log that an error message quotes. */
const QUOTED_LINES = 15;

export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  let child = await spawned(command);
  return {
    name: command.name,
    get pid() {
      return child.pid ?? -1;
    },
    logPath: command.logPath,
    get ended() {
      return endOf(child);
    },
    stop: async (graceMs) => {
      if (endOf(child) !== undefined) return;
      const gone = once(child, "exit");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      if (graceMs > 0) child.kill("SIGTERM");
      await gone;
      clearTimeout(timer);
    },
    signal: (name) => void child.kill(name),
    startAgain: async () => {
      child = await spawned(command);
    },
  };
}

/**
 * Waits until the first server answers while all of them run.
 *
 * @throws {Error} one of them ended, or the first did not answer in time; the message quotes the log
 */
export async function untilReady(
  servers: readonly [ServerProcess, ...ServerProcess[]],
  answers: () => Promise<boolean>,
  options: WaitOptions,
): Promise<void> {
  const [first] = servers;
  const ended = () => servers.find((server) => server.ended !== undefined);
  try {
    await waitUntil(`${first.name} to answer`, async () => ended() !== undefined || (await answers()), options);
  } catch (error) {
    if (!(error instanceof WaitTimeoutError)) throw error;
    throw new Error(`${error.message}. The end of its log:\n${await endOfLog(first)}`, { cause: error });
  }
  const gone = ended();
  if (gone !== undefined) throw new Error(`${gone.name} ended (${gone.ended}):\n${await endOfLog(gone)}`);
}

async function endOfLog(server: ServerProcess): Promise<string> {
  const text = await readFile(server.logPath, "utf8");
  return text.trimEnd().split("\n").slice(-QUOTED_LINES).join("\n");
}

async function spawned(command: ServerCommand): Promise<ChildProcess> {
  const log = await open(command.logPath, "a");
  // setpriv (util-linux): the kernel kills the server when we die, however we die. Nothing is left behind.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", command.program, ...command.args], {
    stdio: ["ignore", log.fd, log.fd],
  });
  try {
    await once(child, "spawn");
  } finally {
    await log.close();
  }
  return child;
}

function endOf(child: ChildProcess): number | string | undefined {
  return child.exitCode ?? child.signalCode ?? undefined;
}
