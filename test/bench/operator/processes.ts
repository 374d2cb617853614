/** Processor time of the servers that a bench started, by program. */
import { readdir, readFile } from "node:fs/promises";

/** USER_HZ: the kernel counts processor time for user space in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** Seconds of all threads since each start: this process's direct children by name, and this process as `bench`. */
export async function processorSeconds(): Promise<ReadonlyMap<string, number>> {
  const seconds = new Map([["bench", secondsOf(process.cpuUsage())]]);
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const id of ids) {
    const [stat, command] = await Promise.all(["stat", "cmdline"].map((file) => readOrEmpty(`/proc/${id}/${file}`)));
    const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
    const [, parent, , , , , , , , , , user, system] = fields;
    if (parent !== String(process.pid)) continue;
    const name = programName(command ?? "");
    seconds.set(name, (seconds.get(name) ?? 0) + (Number(user) + Number(system)) / TICKS_PER_SECOND);
  }
  return seconds;
}

/** A server of the all-in-one program is named by its first argument, the operator by its entry file. */
function programName(command: string): string {
  const [program = "", first = ""] = command.split("\0");
  if (program.endsWith("/kube")) return first;
  return command.includes("operator-process") ? "operator" : (program.split("/").at(-1) ?? "");
}

function secondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1_000_000;
}

/** Processes end while they are looked at. */
async function readOrEmpty(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
