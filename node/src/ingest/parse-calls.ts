/** What the reading threads are asked. Plain data: it crosses between threads. */
import type { ArchiveReport } from "../cdx/read-captures.ts";

export interface ParseInput {
  readonly path: string;
  /** File to be made with the captures found (`cdx/capture-spool.ts`). */
  readonly spool: string;
}

export interface Parsed {
  readonly report: ArchiveReport;
  readonly captures: number;
}

export type ParseCalls = {
  readonly parse: (input: ParseInput) => Promise<Parsed>;
};
