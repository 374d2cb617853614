/**
 * The one write path: whatever brings a file (an upload, a copy from a peer) ends here. Receive, read, keep, commit. What is
 * answered is on disk and in the index; what is not answered leaves nothing behind.
 */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Commit, Committed, Reading, WithdrawnFile } from "../cdx/catalog-calls.ts";
import { epochSecondsOf } from "../cdx/timestamp.ts";
import type { BlobStore, ReceivedBlob } from "../storage/blob-store.ts";
import type { DamagedRange } from "../warc/record.ts";
import type { ParseOutcome, Unreadable } from "./archive-parser.ts";
import { IngestError } from "./errors.ts";
import { KeyedLock } from "./keyed-lock.ts";
import type { IngestMetrics } from "./metrics.ts";
import type { ParseInput } from "./parse-calls.ts";
import { type WithdrawalDeps, withdrawFile } from "./withdrawal.ts";

export interface IngestRequest {
  readonly collection: string;
  readonly filename: string | undefined;
  readonly sizeBytes: number | undefined;
  readonly sha256: string | undefined;
  /** Also when the collection held the file and it was withdrawn. */
  readonly again: boolean;
}

export interface IngestReceipt {
  readonly hash: string;
  readonly size: number;
  readonly records: number;
  readonly captures: number;
  readonly damaged: readonly DamagedRange[];
  readonly digests: Reading["digests"];
  readonly created: boolean;
}

/** A file as it stands in the index; what a repeated upload is answered from. */
export interface HeldBlob {
  readonly records: number;
  readonly captures: number;
  readonly damaged: readonly DamagedRange[];
  readonly digests: Reading["digests"];
}

export interface IngestDeps extends WithdrawalDeps {
  readonly blobs: BlobStore;
  readonly parser: { readonly parse: (input: ParseInput, sizeBytes: number) => Promise<ParseOutcome> };
  readonly index: {
    readonly commit: (commit: Commit) => Promise<Committed>;
    readonly held: (collection: string, hash: string) => Promise<HeldBlob | undefined>;
  } & WithdrawalDeps["index"];
  /** Folder for spools, on the same volume. */
  readonly spoolFolder: string;
  /** Told after each commit. */
  readonly committed: (sequence: number) => void;
  readonly metrics: IngestMetrics;
  readonly monotonicMs: () => number;
}

/** A file as its journal entry says, or shall say. */
export type StoredFile = Omit<Commit["entry"], "receivedAt"> & { readonly receivedAt?: string };

/** A whole file that somebody else wrote. */
export interface FinishedFile {
  readonly path: string;
  readonly hash: string;
  readonly size: number;
}

export interface IngestService {
  /**
   * Stores a file and indexes it. Durable when it returns.
   *
   * @throws {IngestError} the file is not what was announced, or no archive; nothing stays
   * @throws {StorageError} the volume is full or cannot be written; nothing stays
   * @throws whatever the body throws, or the signal's reason, while bytes still come; nothing stays
   */
  ingest(body: AsyncIterable<Uint8Array>, request: IngestRequest, signal: AbortSignal): Promise<IngestReceipt>;
  /**
   * Stores a file that is on the volume already, flushed, and whose hash was made from its bytes; it is moved, never copied.
   *
   * @throws {IngestError} no archive; the file is gone
   * @throws {StorageError} as `ingest`; the file may be gone
   */
  take(file: FinishedFile, request: Pick<IngestRequest, "collection" | "filename">): Promise<IngestReceipt>;
  /**
   * Takes a file out of a collection, and its bytes from the volume when no other collection holds them. Durable when it
   * returns; a repetition does what was not done to the end.
   *
   * @returns the withdrawal; `undefined` when the collection never held the file
   * @throws {StorageError} of the volume or the index; the file may be gone
   */
  withdraw(file: { readonly collection: string; readonly hash: string }): Promise<WithdrawnFile | undefined>;
  /**
   * Indexes a file that is in its place already.
   *
   * @param file - without `receivedAt`: received now
   * @param journalEnd - position behind its journal entry; `undefined`: it has none and gets one
   */
  restore(file: StoredFile, journalEnd: number | undefined): Promise<void>;
}

export function createIngestService(deps: IngestDeps): IngestService {
  const locks = new KeyedLock();
  return {
    ingest: (body, request, signal) => counted(deps, () => ingest(deps, locks, body, request, signal)),
    take: (file, { collection, filename }) =>
      counted(deps, () =>
        settle(deps, locks, deps.blobs.claim(file), {
          ...{ collection, filename, sizeBytes: undefined, sha256: undefined, again: false },
        }),
      ),
    withdraw: (file) => withdrawFile(deps, locks, file),
    restore: (file, journalEnd) =>
      withSpool(deps, async (spool) => {
        const entry = entryOf(deps, file);
        const outcome = await deps.parser.parse({ path: deps.blobs.pathOf(entry.hash), spool }, entry.size);
        const { sequence } = await deps.index.commit({ ...commitOf(entry, outcome, spool), journalEnd });
        deps.committed(sequence);
      }),
  };
}

async function counted(deps: IngestDeps, work: () => Promise<IngestReceipt>): Promise<IngestReceipt> {
  try {
    const receipt = await work();
    deps.metrics.outcome(receipt.created ? "stored" : "held");
    return receipt;
  } catch (error) {
    deps.metrics.outcome(error instanceof IngestError ? "refused" : "failed");
    throw error;
  }
}

async function ingest(
  deps: IngestDeps,
  locks: KeyedLock,
  body: AsyncIterable<Uint8Array>,
  request: IngestRequest,
  signal: AbortSignal,
): Promise<IngestReceipt> {
  await deps.blobs.checkRoom(request.sizeBytes ?? 0);
  return settle(deps, locks, await deps.blobs.receive(body, signal), request);
}

async function settle(
  deps: IngestDeps,
  locks: KeyedLock,
  received: ReceivedBlob,
  request: IngestRequest,
): Promise<IngestReceipt> {
  const completeMs = deps.monotonicMs();
  // Two uploads of the same bytes must not undo each other's work.
  using _held = await locks.lock(received.hash);
  try {
    checkPromises(received, request);
    const held = await deps.index.held(request.collection, received.hash);
    if (held === undefined && !request.again) await checkWithdrawn(deps, received.hash, request.collection);
    const receipt = held === undefined ? await store(deps, received, request) : await again(received, held);
    if (receipt.created) deps.metrics.indexed((deps.monotonicMs() - completeMs) / 1000);
    await received.settle();
    return receipt;
  } catch (error) {
    await takeBack(deps, received);
    throw error;
  }
}

/** What cannot be decided or removed now keeps its name on the way in, and the next start decides. */
async function takeBack(deps: IngestDeps, received: ReceivedBlob): Promise<void> {
  try {
    await received.discard({ named: !(await deps.index.holds(received.hash)) });
  } catch (error) {
    deps.leftBehind(received.hash, error);
  }
}

async function checkWithdrawn({ index }: IngestDeps, hash: string, collection: string): Promise<void> {
  const before = await index.withdrawn(collection, hash);
  if (before === undefined) return;
  throw new IngestError("WITHDRAWN", { hash, collection, withdrawnAt: before.withdrawnAt });
}

function checkPromises({ hash, size }: ReceivedBlob, request: IngestRequest): void {
  if (request.sha256 !== undefined && request.sha256 !== hash) {
    throw new IngestError("DIGEST_MISMATCH", { expected: request.sha256, actual: hash });
  }
  if (request.sizeBytes !== undefined && request.sizeBytes !== size) {
    throw new IngestError("SIZE_MISMATCH", { expected: request.sizeBytes, actual: size });
  }
}

/** The index holding it does not mean that the volume does: what came is kept where the stored file is gone. */
async function again(
  received: ReceivedBlob,
  { records, captures, damaged, digests }: HeldBlob,
): Promise<IngestReceipt> {
  await received.keep();
  const { hash, size } = received;
  return { hash, size, records, captures, damaged, digests, created: false };
}

async function store(deps: IngestDeps, received: ReceivedBlob, request: IngestRequest): Promise<IngestReceipt> {
  const { hash, size } = received;
  return withSpool(deps, async (spool) => {
    const outcome = await deps.parser.parse({ path: received.path, spool }, size);
    if (outcome.kind === "parsed" && outcome.parsed.report.records === 0) {
      throw new IngestError("NOT_AN_ARCHIVE", { size });
    }
    await received.keep();
    const { collection, filename } = request;
    const commit = commitOf(entryOf(deps, { collection, hash, filename, size }), outcome, spool);
    const { sequence } = await deps.index.commit(commit);
    const { records, damaged, digests } = commit.reading;
    const lost = damaged.reduce((sum, range) => sum + range.length, 0);
    const counts = { captures: commit.captures, damaged: damaged.length, mismatched: digests?.mismatched ?? 0 };
    deps.metrics.stored({ bytes: size, lost, ...counts });
    deps.committed(sequence);
    return { hash, size, records, captures: commit.captures, damaged, digests, created: true };
  });
}

function entryOf({ now }: IngestDeps, file: StoredFile): Commit["entry"] {
  const { collection, hash, filename, size } = file;
  return { collection, hash, filename, size, receivedAt: file.receivedAt ?? `${now().toISOString().slice(0, 19)}Z` };
}

function commitOf(entry: Commit["entry"], outcome: ParseOutcome, spool: string): Commit {
  if (outcome.kind === "unreadable") {
    const { captures } = outcome;
    const reading = unread(outcome, entry.size);
    return { entry, reading, spool: captures === 0 ? undefined : spool, captures, journalEnd: undefined };
  }
  const { report, captures } = outcome.parsed;
  const { format, compression, records, damaged } = report;
  return {
    entry,
    reading: {
      format,
      compression,
      records,
      damaged,
      digests: { ...report.digests, ...report.oddPayloads },
      reason: undefined,
      createdSeconds: report.created === undefined ? undefined : epochSecondsOf(report.created),
    },
    spool,
    captures,
    journalEnd: undefined,
  };
}

/** What was found before reading ended counts; nobody knows how many other records lie between. */
function unread({ reason, captures, readBytes }: Unreadable, size: number): Reading {
  const damaged = [{ offset: readBytes, length: Math.max(0, size - readBytes), reason }];
  return { format: "unknown", compression: "none", records: captures, damaged, digests: undefined, reason };
}

async function withSpool<T>({ spoolFolder }: IngestDeps, work: (spool: string) => Promise<T>): Promise<T> {
  const spool = join(spoolFolder, `${randomUUID()}.spool`);
  try {
    return await work(spool);
  } finally {
    await rm(spool, { force: true });
  }
}
