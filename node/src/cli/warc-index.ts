/**
 * `archive-node warc index FILE...`: one sorted CDXJ index of all files on standard output.
 *
 * Exit status: 0 clean, 1 something is damaged (ranges on standard error), 2 a file cannot be read or is no archive.
 */
import { basename } from "node:path";
import { cdxjLine } from "../cdx/cdxj.ts";
import { type ArchiveReport, readCaptures } from "../cdx/read-captures.ts";
import { LineSorter } from "../cdx/sorted-lines.ts";
import { openFileSource } from "../warc/byte-source.ts";
import type { CaptureRow } from "../warc/record.ts";
import { type CommandIo, print } from "./command-io.ts";
import { progressBar } from "./progress-bar.ts";
import { exitCodeOfReport } from "./report-exit.ts";

const USAGE = "usage: archive-node warc index FILE...\n";
/** Characters handed over at a time. */
const BATCH_CHARS = 1 << 16;

/** @param argv - what follows `warc index` */
export async function runWarcIndex(argv: readonly string[], io: CommandIo): Promise<number> {
  if (argv.length === 0 || argv.some((arg) => arg.startsWith("-"))) {
    await print(io.stderr, USAGE);
    return 2;
  }
  await using sorter = new LineSorter();
  let worst = 0;
  for (const file of argv) worst = Math.max(worst, await indexFile(file, sorter, io));
  await printLines(sorter.sorted(), io);
  return worst;
}

async function indexFile(file: string, sorter: LineSorter, io: CommandIo): Promise<number> {
  try {
    const report = await reportOf(file, sorter, io);
    for (const range of report.damaged) {
      await print(io.stderr, `${file}: ${range.length} bytes at ${range.offset} are damaged: ${range.reason}\n`);
    }
    return exitCodeOfReport(report);
  } catch (error) {
    io.signal.throwIfAborted();
    await print(io.stderr, `${file}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

async function reportOf(file: string, sorter: LineSorter, io: CommandIo): Promise<ArchiveReport> {
  await using source = await openFileSource(file);
  const bar = progressBar(io.stderr, file, source.size);
  const row = (found: CaptureRow) => sorter.add(cdxjLine(found, basename(file)));
  try {
    return await readCaptures(source, { row, progress: (bytes) => bar.update(bytes) }, io.signal);
  } finally {
    bar.clear();
  }
}

async function printLines(lines: AsyncIterable<string>, io: CommandIo): Promise<void> {
  let batch = "";
  for await (const line of lines) {
    io.signal.throwIfAborted();
    batch += `${line}\n`;
    if (batch.length < BATCH_CHARS) continue;
    await print(io.stdout, batch);
    batch = "";
  }
  if (batch !== "") await print(io.stdout, batch);
}
