/**
 * Preloaded by tests (`NODE_OPTIONS=--import=...`): a process says at its end how much memory it held at most,
 * and what it took of the processor. From the
 * kernel's mark of this program's memory: `getrusage` also counts what the parent held when it started this process.
 */
import { readFileSync } from "node:fs";

process.on("exit", () => {
  const kib = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "latin1"))?.[1]);
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
  process.stderr.write(`${JSON.stringify({ maxRssBytes: kib * 1024, cpuSeconds })}\n`);
});
