/**
 * `archive-node warc check [--json] FILE...`: reads files to their end and says what is in them and what is broken.
 *
 * Exit status: 0 clean, 1 something is damaged or a digest does not match, 2 a file cannot be read or is no archive.
 */
import { parseArgs } from "node:util";
import { type ArchiveReport, readCaptures } from "../cdx/read-captures.ts";
import { openFileSource } from "../warc/byte-source.ts";
import { type CommandIo, print } from "./command-io.ts";
import { progressBar } from "./progress-bar.ts";
import { exitCodeOfReport } from "./report-exit.ts";

const USAGE = "usage: archive-node warc check [--json] FILE...\n";
const CLEAN = 0;
const DAMAGED = 1;
const UNREADABLE = 2;

/** @param argv - what follows `warc check` */
export async function runWarcCheck(argv: readonly string[], io: CommandIo): Promise<number> {
  const args = argumentsOf(argv);
  if (args === undefined || args.files.length === 0) {
    await print(io.stderr, USAGE);
    return UNREADABLE;
  }
  let worst = CLEAN;
  for (const file of args.files) worst = Math.max(worst, await checkFile(file, args.json, io));
  return worst;
}

function argumentsOf(argv: readonly string[]): { readonly files: string[]; readonly json: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { json: { type: "boolean", default: false } },
      allowPositionals: true,
    });
    return { files: positionals, json: values.json };
  } catch {
    return undefined;
  }
}

async function checkFile(file: string, json: boolean, io: CommandIo): Promise<number> {
  try {
    const report = await reportOf(file, io);
    await print(io.stdout, json ? `${jsonLine(file, report)}\n` : textOf(file, report));
    return Math.max(exitCodeOfReport(report), report.digests.mismatched > 0 ? DAMAGED : CLEAN);
  } catch (error) {
    io.signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    if (json) await print(io.stdout, `${JSON.stringify({ file, error: reason })}\n`);
    await print(io.stderr, `${file}: ${reason}\n`);
    return UNREADABLE;
  }
}

async function reportOf(file: string, io: CommandIo): Promise<ArchiveReport> {
  await using source = await openFileSource(file);
  const bar = progressBar(io.stderr, file, source.size);
  try {
    return await readCaptures(source, { progress: (bytes) => bar.update(bytes) }, io.signal);
  } finally {
    bar.clear();
  }
}

function jsonLine(file: string, report: ArchiveReport): string {
  const { records, types, damaged, digests, bytes } = report;
  return JSON.stringify({ file, format: formatName(report), records, types, damaged, digests, bytes });
}

/** `warc`, `warc.gz`, `arc.zst`, …: what the bytes are, whatever the name says. */
function formatName(report: ArchiveReport): string {
  const suffix = { none: "", gzip: ".gz", zstd: ".zst" }[report.compression];
  return report.format === "unknown" ? "unknown" : `${report.format}${suffix}`;
}

function textOf(file: string, report: ArchiveReport): string {
  const types = Object.entries(report.types).map(([type, count]) => `${type} ${count}`);
  const { verified, mismatched, unsupported } = report.digests;
  const lines = [
    `${file}: ${formatName(report)}, ${report.bytes} bytes, ${report.records} records (${types.join(", ")})`,
    `  digests: ${verified} verified, ${mismatched} mismatched, ${unsupported} unsupported`,
    ...report.damaged.map((range) => `  damaged: ${range.length} bytes at ${range.offset}: ${range.reason}`),
  ];
  return `${lines.join("\n")}\n`;
}
