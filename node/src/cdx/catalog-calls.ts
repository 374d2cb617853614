/** What the catalog's threads are asked and answer. Plain data: it crosses between threads. */
import type { Compression, DamagedRange } from "../warc/record.ts";
import type { CatalogBlob, DigestCounts } from "./blob-row.ts";
import type { JournalEntry, JournalLine, Withdrawal } from "./journal.ts";
import type { CaptureRange, StoredCapture } from "./stored-capture.ts";

export interface CatalogFiles {
  readonly database: string;
  readonly journal: string;
}

export function catalogFiles(dataDir: string): CatalogFiles {
  return { database: `${dataDir}/catalog.db`, journal: `${dataDir}/journal.ndjson` };
}

/** What reading a file brought to light. */
export interface Reading {
  readonly format: "warc" | "arc" | "unknown";
  readonly compression: Compression;
  readonly records: number;
  readonly damaged: readonly DamagedRange[];
  /** Absent when reading ended early. */
  readonly digests: DigestCounts | undefined;
  /** Why reading ended early; captures found until then are in the index. */
  readonly reason: string | undefined;
  /** Of the first record, since 1970; absent when reading ended early, or its date cannot be read. */
  readonly createdSeconds?: number | undefined;
}

export interface Commit {
  readonly entry: JournalEntry;
  readonly reading: Reading;
  /** File of the captures (`capture-spool.ts`); absent when there are none. */
  readonly spool: string | undefined;
  readonly captures: number;
  /** Set when the entry comes from the journal: the position behind it. */
  readonly journalEnd: number | undefined;
}

export interface Committed {
  readonly sequence: number;
  /** False when the collection already held the file. */
  readonly created: boolean;
}

export interface Withdraw {
  readonly withdrawal: Withdrawal;
  /** Set when the withdrawal comes from the journal: the position behind it. */
  readonly journalEnd: number | undefined;
}

/** What the catalog remembers of a file that a collection holds no more. */
export interface WithdrawnFile {
  readonly sequence: number;
  readonly collection: string;
  readonly hash: string;
  /** RFC 3339. */
  readonly withdrawnAt: string;
}

/** A page of a collection's files in the order of their commits. */
export interface CatalogChanges {
  /** Names the sequence: other numbers under another epoch mean other files. */
  readonly epoch: string;
  /** That was ever given, of all collections. */
  readonly lastSequence: number;
  /** At most the first `limit` of both together count: what is behind them may be incomplete. */
  readonly items: readonly CatalogBlob[];
  readonly withdrawn: readonly WithdrawnFile[];
}

export interface UnreadLine extends JournalLine {
  /** A later line withdraws the file. */
  readonly isOver: boolean;
}

// A type, not an interface: it must fit the index signature of the calls.
export type CatalogWrites = {
  readonly open: () => void;
  readonly commit: (input: Commit) => Committed;
  /**
   * Takes a file out of a collection, with its captures.
   *
   * @returns the sequence of the withdrawal; `undefined` when the collection does not hold the file
   */
  readonly withdraw: (input: Withdraw) => number | undefined;
  /** Journal lines that are not in the catalog yet, at most `limit`. */
  readonly unread: (limit: number) => readonly UnreadLine[];
  /** Leaves out the line that ends here: its file is gone, or it cannot be read. */
  readonly skip: (journalEnd: number) => void;
};

/** Where a scan goes on: behind this row. */
export interface ScanPosition {
  readonly urlkey: string;
  readonly timestamp: number;
  readonly id: number;
}

export interface ScanInput {
  readonly collection: string;
  readonly range: CaptureRange;
  readonly after: ScanPosition | undefined;
  readonly limit: number;
}

export interface ScanBatch {
  readonly captures: readonly StoredCapture[];
  /** Absent at the end. */
  readonly next: ScanPosition | undefined;
}

export type CatalogReads = {
  readonly scan: (input: ScanInput) => ScanBatch;
  readonly blob: (input: { readonly collection: string; readonly hash: string }) => CatalogBlob | undefined;
  /** Newest first, before a sequence. */
  readonly blobs: (input: {
    readonly collection: string;
    readonly before: number | undefined;
    readonly limit: number;
  }) => readonly CatalogBlob[];
  /** Oldest first, after a sequence, of all collections. */
  readonly blobsAfter: (input: { readonly sequence: number; readonly limit: number }) => readonly CatalogBlob[];
  /** Captures of one file in stored order, from a capture on. */
  readonly blobCaptures: (input: {
    readonly sequence: number;
    readonly skip: number;
    readonly limit: number;
  }) => readonly StoredCapture[];
  /** The last withdrawal of a file that the collection does not hold. */
  readonly withdrawn: (input: { readonly collection: string; readonly hash: string }) => WithdrawnFile | undefined;
  /** Those of these hashes that were withdrawn from the collection and not taken in again. */
  readonly withdrawnOf: (input: {
    readonly collection: string;
    readonly hashes: readonly string[];
  }) => readonly string[];
  /** Whether it was withdrawn from any collection, and is not held there again. */
  readonly wasWithdrawn: (hash: string) => boolean;
  /** Withdrawals after a sequence, ascending, of all collections; `blob`: the sequence that the file had. */
  readonly withdrawnAfter: (input: {
    readonly sequence: number;
    readonly limit: number;
  }) => readonly { readonly sequence: number; readonly blob: number }[];
  readonly holds: (hash: string) => boolean;
  /** One entry for each collection that holds the file. */
  readonly holders: (hash: string) => readonly CatalogBlob[];
  /** Those of these hashes that the collection holds. */
  readonly heldOf: (input: { readonly collection: string; readonly hashes: readonly string[] }) => readonly string[];
  /** Files of one collection that came or went, oldest first, after a sequence. */
  readonly changes: (input: {
    readonly collection: string;
    readonly after: number;
    readonly limit: number;
  }) => CatalogChanges;
  /** Of a file that is held; 0 when there is none. */
  readonly lastSequence: () => number;
  readonly count: () => { readonly blobs: number; readonly captures: number };
};
