/** Starts one server as a child process that cannot outlive us, and ends it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";

export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** Throws when the process has ended by itself; the message carries the end of its log. */
  assertRunning(): Promise<void>;
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
    assertRunning: async () => {
      if (!hasEnded(child)) return;
      const text = await readFile(command.logPath, "utf8");
      const tail = text.trimEnd().split("\n").slice(-QUOTED_LINES).join("\n");
      throw new Error(`${command.name} ended (${child.exitCode ?? child.signalCode}):\n${tail}`);
    },
    stop: async (graceMs) => {
      if (hasEnded(child)) return;
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

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
