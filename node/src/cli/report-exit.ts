/** What the report on one file means for the exit code of `warc check` and `warc index`. Pure. */
import type { ArchiveReport } from "../cdx/read-captures.ts";
import { EXIT_CODES } from "../contract/exit-codes.ts";

/** An empty file may be what is left of an archive; any other one without a record is none. */
export function exitCodeOfReport({ format, bytes, damaged }: ArchiveReport): number {
  if (format === "unknown") return bytes === 0 ? EXIT_CODES.damaged : EXIT_CODES.usage;
  return damaged.length > 0 ? EXIT_CODES.damaged : EXIT_CODES.ok;
}
