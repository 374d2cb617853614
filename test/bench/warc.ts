/**
 * Our reader beside npm warcio, Python warcio and fastwarc: each a process of its own over the same file, read to the last
 * byte of every block, one after the other. Target: 15,000 records/s and 45 MB/s of compressed bytes on one core.
 * `BENCH_WARC_COPIES` makes the file longer or shorter than 150 MB: start and warming up weigh less in a long one.
 */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { pythonEnv } from "../interop/python-env.ts";
import { fixturePath } from "../testkit/fixtures.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { gzipEach, pageRecord } from "../testkit/warc-builder.ts";
import { checkFile } from "../testkit/warc-program.ts";
import { table } from "./table.ts";

const runProgram = promisify(execFile);
const COPIES = Number(process.env["BENCH_WARC_COPIES"] ?? 190);
const ROUNDS = 3;
const RUN_MS = 300_000;
const NPM_READER = join(import.meta.dirname, "warc-npm-reader.mjs");

const PYTHON_END = `
status = open("/proc/self/status").read()
print(count, int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024, time.process_time())
`;
const WARCIO = `
import re, sys, time
from warcio.archiveiterator import ArchiveIterator
count = 0
with open(sys.argv[1], "rb") as stream:
    for record in ArchiveIterator(stream, check_digests=sys.argv[2] == "digests"):
        while record.raw_stream.read(65536):
            pass
        count += 1
${PYTHON_END}`;
const FASTWARC = `
import re, sys, time
from fastwarc.warc import ArchiveIterator
count = 0
with open(sys.argv[1], "rb") as stream:
    for record in ArchiveIterator(stream):
        record.reader.read()
        count += 1
${PYTHON_END}`;

interface Outcome {
  readonly records: number;
  readonly maxRssBytes: number;
  readonly cpuSeconds: number;
}
type Reader = (path: string) => Promise<Outcome>;

/** A peer prints its count and its largest memory, as the kernel marks it for that program. */
async function runPeer(command: string, args: readonly string[]): Promise<Outcome> {
  const { stdout } = await runProgram(command, [...args], { timeout: RUN_MS });
  const [records, maxRssBytes, cpuSeconds] = stdout.trim().split(" ").map(Number);
  return { records: records ?? 0, maxRssBytes: maxRssBytes ?? 0, cpuSeconds: cpuSeconds ?? 0 };
}

async function readers(): Promise<readonly (readonly [string, Reader])[]> {
  const { python } = await pythonEnv();
  return [
    [
      "archive-node warc check (digests checked)",
      async (path) => {
        const { line, run: cost } = await checkFile(path, AbortSignal.timeout(RUN_MS));
        return { records: line.records, maxRssBytes: cost.maxRssBytes, cpuSeconds: cost.cpuSeconds };
      },
    ],
    ["npm warcio 2.4.11", (path) => runPeer(process.execPath, [NPM_READER, path])],
    ["Python warcio 1.8.1", (path) => runPeer(python, ["-c", WARCIO, path, "no"])],
    ["Python warcio 1.8.1, digests checked", (path) => runPeer(python, ["-c", WARCIO, path, "digests"])],
    ["fastwarc 2.0.1", (path) => runPeer(python, ["-c", FASTWARC, path])],
  ];
}

/** The real file many times over, or pages of our own where it is missing. */
async function benchFile(): Promise<Buffer> {
  const fixture = fixturePath("pywb/iana.warc.gz");
  const pages = Array.from({ length: 340 }, (_, index) =>
    pageRecord(`http://example.com/${index}`, "text ".repeat(999)),
  );
  const once = fixture === undefined ? gzipEach(pages) : await readFile(fixture);
  console.log(`${fixture === undefined ? "generated pages" : "pywb/iana.warc.gz"} x ${COPIES}, best of ${ROUNDS}\n`);
  return Buffer.concat(Array.from({ length: COPIES }, () => once));
}

/** Start of the process included: a command line tool is used that way. */
async function measure(read: Reader, path: string): Promise<Outcome & { readonly seconds: number }> {
  const rounds: (Outcome & { readonly seconds: number })[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const outcome = await read(path);
    rounds.push({ ...outcome, seconds: (performance.now() - start) / 1000 });
  }
  const [best] = rounds.toSorted((a, b) => a.seconds - b.seconds);
  if (best === undefined) throw new Error("no round was run");
  return { ...best, maxRssBytes: Math.max(...rounds.map((round) => round.maxRssBytes)) };
}

export async function run(): Promise<void> {
  await using folder = await tempDir("bench");
  const path = join(folder.path, "bench.warc.gz");
  const bytes = await benchFile();
  await writeFile(path, bytes);
  const rows: (readonly (string | number)[])[] = [];
  for (const [name, read] of await readers()) {
    const { records, seconds, cpuSeconds, maxRssBytes } = await measure(read, path);
    const megabytes = bytes.length / 1e6;
    const perCpu = [records / cpuSeconds, megabytes / cpuSeconds];
    rows.push([name, records / seconds, megabytes / seconds, ...perCpu, maxRssBytes / 1e6]);
  }
  const columns = ["records/s", "MB/s compressed", "records per CPU s", "MB per CPU s", "max RSS, MB"];
  console.log(table(["reader", ...columns], rows));
}
