/**
 * `archive-node warc check [--json] FILE...`: reads files to their end and says what is in them and what is broken.
 *
 * Exit status: 0 clean, 1 something is damaged or a digest does not match, 2 a file cannot be read or is no archive.
 */
import { parseArgs } from "node:util";
import { type ArchiveReport, readCaptures } from "../cdx/read-captures.ts";
import { openFileSource } from "../warc/byte-source.ts";
import { adviceOn } from "../warc/foreign-file.ts";
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

/** Digests that cannot be checked say nothing against a file. */
function isDoubtful({ digests, remarks }: ArchiveReport): boolean {
  return digests.mismatched > 0 || remarks.length > digests.unsupported;
}

async function checkFile(file: string, json: boolean, io: CommandIo): Promise<number> {
  try {
    const { report, advice } = await reportOf(file, io);
    await print(io.stdout, json ? `${jsonLine(file, report, advice)}\n` : textOf(file, report, advice));
    return Math.max(exitCodeOfReport(report), isDoubtful(report) ? DAMAGED : CLEAN);
  } catch (error) {
    io.signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    if (json) await print(io.stdout, `${JSON.stringify({ file, error: reason })}\n`);
    await print(io.stderr, `${file}: ${reason}\n`);
    return UNREADABLE;
  }
}

interface CheckedFile {
  readonly report: ArchiveReport;
  /** What the file is instead of an archive, and what to do with it. */
  readonly advice: string | undefined;
}

async function reportOf(file: string, io: CommandIo): Promise<CheckedFile> {
  await using source = await openFileSource(file);
  const bar = progressBar(io.stderr, file, source.size);
  try {
    const report = await readCaptures(source, { progress: (bytes) => bar.update(bytes) }, io.signal);
    return { report, advice: report.records === 0 ? await adviceOn(source) : undefined };
  } finally {
    bar.clear();
  }
}

function jsonLine(file: string, report: ArchiveReport, advice: string | undefined): string {
  const { records, types, damaged, digests, remarks, bytes } = report;
  const shown = { file, format: formatName(report), records, types, damaged, digests, remarks, bytes };
  return JSON.stringify(advice === undefined ? shown : { ...shown, advice });
}

/** `warc`, `warc.gz`, `arc.zst`, …: what the bytes are, whatever the name says. */
function formatName(report: ArchiveReport): string {
  const suffix = { none: "", gzip: ".gz", zstd: ".zst" }[report.compression];
  return report.format === "unknown" ? "unknown" : `${report.format}${suffix}`;
}

function textOf(file: string, report: ArchiveReport, advice: string | undefined): string {
  const types = Object.entries(report.types).map(([type, count]) => `${type} ${count}`);
  const { verified, mismatched, unsupported } = report.digests;
  const lines = [
    `${file}: ${formatName(report)}, ${report.bytes} bytes, ${report.records} records (${types.join(", ")})`,
    `  digests: ${verified} verified, ${mismatched} mismatched, ${unsupported} unsupported`,
    ...(advice === undefined ? [] : [`  ${advice}`]),
    ...report.remarks.map(({ offset, type, uri, text }) => `  ${type} at ${offset} (${uri ?? "no URL"}): ${text}`),
    ...report.damaged.map((range) => `  damaged: ${range.length} bytes at ${range.offset}: ${range.reason}`),
  ];
  return `${lines.join("\n")}\n`;
}
