/** Reads a file with npm warcio to the end of every block; prints the number of records the largest memory in bytes,
 * and the processor time in seconds. */
import { createReadStream, readFileSync } from "node:fs";
import { WARCParser } from "warcio";

let count = 0;
for await (const record of new WARCParser(createReadStream(process.argv[2]))) {
  for await (const _chunk of record);
  count += 1;
}
const kib = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "latin1"))?.[1]);
const { userCPUTime, systemCPUTime } = process.resourceUsage();
console.log(count, kib * 1024, (userCPUTime + systemCPUTime) / 1e6);
