/** What a process has used, by `/proc`. */
import { readFile } from "node:fs/promises";

/** The kernel counts processor time in hundredths of a second. */
const TICK_MS = 10;

/** Fields 14 and 15 of `stat`, behind the name in parentheses (proc_pid_stat(5)). */
export async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}
