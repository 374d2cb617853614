/** One run over all blobs that the index has not seen: read, extract, commit, report. Resumes inside a blob. */
import { type BatchDeps, toEntry } from "./index-batch.ts";
import type { BatchEntry, IndexWriter } from "./index-writer.ts";
import type { IndexerEvent } from "./indexer.ts";
import { isDatabaseError } from "./schema.ts";
import type { IndexSource, SourceBlob } from "./source.ts";
import { DEFAULT_CAPS } from "./text-extractor.ts";

const BLOBS_PER_LOOK = 64;
/** A commit costs a disk write; a batch is memory and lag. */
const BATCH_CAPTURES = 500;
const BATCH_MS = 1_000;
/** Reading a blob may fail for a moment (disk, network); a third failure is final and recorded. */
const ATTEMPTS = 3;

export interface FollowDeps {
  readonly source: IndexSource;
  readonly writer: IndexWriter;
  readonly post: (event: IndexerEvent) => void;
  readonly nowMs: () => number;
}

/** Indexes until no blob is left. Returns early when aborted; what was read since the last commit is read again later. */
export async function followBlobs(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const blobs = await deps.source.blobsAfter(deps.writer.cursor.sequence, BLOBS_PER_LOOK);
    if (blobs.length === 0) return;
    for (const blob of blobs) {
      if (signal.aborted) return;
      await indexWithRetries(deps, blob, signal);
    }
  }
}

async function indexWithRetries(deps: FollowDeps, blob: SourceBlob, signal: AbortSignal): Promise<void> {
  let failure: unknown;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      await indexBlob(deps, blob, signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      // The database's own trouble is not the blob's: the thread ends, and a later one goes on here.
      if (isDatabaseError(error)) throw error;
      failure = error;
    }
  }
  const reason = failure instanceof Error ? failure.message : String(failure);
  deps.writer.fail(blob, reason);
  deps.post({ kind: "failed", sequence: blob.sequence, hash: blob.hash, reason });
}

async function indexBlob(deps: FollowDeps, blob: SourceBlob, signal: AbortSignal): Promise<void> {
  const { writer } = deps;
  const extraction: BatchDeps = {
    holds: (collection, urlkey, digest) => writer.holds(collection, urlkey, digest),
    caps: DEFAULT_CAPS,
    nowMs: deps.nowMs,
  };
  // The cursor's ordinal counts captures of the first blob after its sequence.
  const skip = writer.cursor.ordinal;
  let ordinal = 0;
  let batch: BatchEntry[] = [];
  let batchSince = deps.nowMs();
  for await (const capture of deps.source.captures(blob, signal)) {
    signal.throwIfAborted();
    ordinal += 1;
    if (ordinal <= skip) continue;
    const entry = await toEntry(capture, blob, extraction);
    if (entry !== undefined) batch.push(entry);
    if (batch.length < BATCH_CAPTURES && deps.nowMs() - batchSince < BATCH_MS) continue;
    writer.commit(blob, batch, { sequence: writer.cursor.sequence, ordinal });
    batch = [];
    batchSince = deps.nowMs();
  }
  signal.throwIfAborted();
  writer.commit(blob, batch, { sequence: blob.sequence, ordinal: 0 });
  deps.post({ kind: "indexed", sequence: blob.sequence, hash: blob.hash, captures: ordinal });
}
