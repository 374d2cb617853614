/**
 * One run over all blobs that the index has not seen: read, extract, commit, report. Resumes inside a blob. A blob that
 * cannot be read, or at which the thread ended again and again, is set aside, so that it never stops the others.
 */
import { setImmediate } from "node:timers/promises";
import type { BatchDeps } from "./index-batch.ts";
import type { BatchEntry, IndexCursor, IndexWriter } from "./index-writer.ts";
import type { IndexerEvent } from "./indexer.ts";
import { isDatabaseError } from "./schema.ts";
import type { IndexSource, SourceBlob } from "./source.ts";

const BLOBS_PER_LOOK = 64;
/** A commit costs a disk write and one for each different word; a batch is memory and lag. */
const BATCH_CAPTURES = 1_000;
const BATCH_MS = 3_000;
/** Reading a blob may fail for a moment (disk, network), a thread may end for want of memory; the third time is final. */
const ATTEMPTS = 3;
/** Blobs set aside that are told by name. */
const TOLD = 10_000;

export interface FollowDeps {
  readonly source: IndexSource;
  readonly writer: IndexWriter;
  readonly post: (event: IndexerEvent) => void;
  readonly nowMs: () => number;
  /** Version of this program: blobs that another version set aside are tried again. */
  readonly program: string;
  /** How the thread before this one ended, when it did not end by order. */
  readonly lastEnd: string | undefined;
}

/** Indexes until no blob is left. Returns early when aborted; what was read since the last commit is read again later. */
export async function followBlobs(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const blobs = await deps.source.blobsAfter(deps.writer.cursor.sequence, BLOBS_PER_LOOK);
    if (blobs.length === 0) return;
    // Before the attempt is counted: a node that is killed while it loads the libraries has tried nothing.
    await import("./index-batch.ts");
    for (const blob of blobs) {
      if (signal.aborted) return;
      await indexNext(deps, blob, signal);
      // What was listed may be gone.
      if ((await removeWithdrawn(deps, signal)).size > 0) break;
    }
  }
}

/**
 * Takes out the text of blobs that the archive holds no more, whichever are still to be indexed.
 *
 * @returns the sequences of those blobs
 */
export async function removeWithdrawn(
  { source, writer, post }: Pick<FollowDeps, "source" | "writer" | "post">,
  signal: AbortSignal,
): Promise<ReadonlySet<number>> {
  const removed = new Set<number>();
  for (;;) {
    const withdrawn = await source.withdrawnAfter(writer.withdrawn, BLOBS_PER_LOOK);
    if (withdrawn.length === 0) return removed;
    for (const one of withdrawn) {
      while (!writer.remove(one)) {
        await setImmediate();
        if (signal.aborted) return removed;
      }
      removed.add(one.blob);
      post({ kind: "withdrawn", ...one });
    }
    tellSetAside({ writer, post });
  }
}

/** Tries what another version of the program had set aside. Call it when nothing new waits. */
export async function retryFailed(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  for (let claimed = deps.writer.claimFailed(deps.program); claimed !== undefined && !signal.aborted; ) {
    const [blob] = await deps.source.blobsAfter(claimed - 1, 1);
    if (blob?.sequence === claimed) await retry(deps, blob, signal);
    claimed = deps.writer.claimFailed(deps.program);
  }
}

async function retry(deps: FollowDeps, blob: SourceBlob, signal: AbortSignal): Promise<void> {
  const { cursor } = deps.writer;
  try {
    await indexBlob(deps, blob, { skip: 0, inside: () => cursor, behind: cursor }, signal);
    if (signal.aborted) return;
    deps.writer.recovered(blob.sequence);
    tellSetAside(deps);
  } catch (error) {
    if (isDatabaseError(error)) throw error;
  }
}

async function indexNext(deps: FollowDeps, blob: SourceBlob, signal: AbortSignal): Promise<void> {
  const begun = deps.writer.begin();
  if (begun > ATTEMPTS) {
    return setAside(deps, blob, `indexing it ended the thread ${ATTEMPTS} times: ${deps.lastEnd ?? "with the node"}`);
  }
  await indexWithRetries(deps, blob, signal);
  if (signal.aborted) deps.writer.excuse();
}

async function indexWithRetries(deps: FollowDeps, blob: SourceBlob, signal: AbortSignal): Promise<void> {
  const { sequence } = deps.writer.cursor;
  let failure: unknown;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      const inside = (ordinal: number): IndexCursor => ({ sequence, ordinal });
      // The cursor's ordinal counts captures of the first blob after its sequence.
      const behind = { sequence: blob.sequence, ordinal: 0 };
      await indexBlob(deps, blob, { skip: deps.writer.cursor.ordinal, inside, behind }, signal);
      return;
    } catch (error) {
      // The database's own trouble is not the blob's: the thread ends, and a later one goes on here.
      if (isDatabaseError(error) && !signal.aborted) throw error;
      if (await isOver(deps, blob, signal)) return;
      failure = error;
    }
  }
  setAside(deps, blob, failure instanceof Error ? failure.message : String(failure));
}

/** The bytes of a blob go when it is withdrawn, whoever reads them. */
async function isOver(deps: FollowDeps, { sequence }: SourceBlob, signal: AbortSignal): Promise<boolean> {
  return signal.aborted || (await removeWithdrawn(deps, signal)).has(sequence);
}

function setAside(deps: FollowDeps, blob: SourceBlob, reason: string): void {
  deps.writer.fail(blob, reason, deps.program);
  tellSetAside(deps);
  deps.post({ kind: "failed", sequence: blob.sequence, hash: blob.hash, reason });
}

/** Tells all blobs that stand aside now. */
export function tellSetAside({ writer, post }: Pick<FollowDeps, "writer" | "post">): void {
  post({ kind: "set-aside", blobs: writer.setAside(TOLD) });
}

interface Place {
  /** Captures at the blob's start that are committed. */
  readonly skip: number;
  /** The cursor when this many captures are committed, and when all are. */
  readonly inside: (ordinal: number) => IndexCursor;
  readonly behind: IndexCursor;
}

async function indexBlob(deps: FollowDeps, blob: SourceBlob, place: Place, signal: AbortSignal): Promise<void> {
  const { writer } = deps;
  // Parser and language detector take 120 MB: they are loaded with the first file, not with an empty archive.
  const { toEntry } = await import("./index-batch.ts");
  const extraction: BatchDeps = {
    holds: (collection, urlkey, digest) => writer.holds(collection, urlkey, digest),
    nowMs: deps.nowMs,
  };
  let ordinal = 0;
  let batch: BatchEntry[] = [];
  let batchSince = deps.nowMs();
  for await (const capture of deps.source.captures(blob, signal)) {
    signal.throwIfAborted();
    ordinal += 1;
    if (ordinal <= place.skip) continue;
    const entry = await toEntry(capture, blob, extraction);
    if (entry !== undefined) batch.push(entry);
    if (batch.length < BATCH_CAPTURES && deps.nowMs() - batchSince < BATCH_MS) continue;
    writer.commit(blob, batch, place.inside(ordinal));
    // Orders and the heartbeat get their turn, also when the source never waits.
    await setImmediate();
    if (await isOver(deps, blob, signal)) return;
    batch = [];
    batchSince = deps.nowMs();
  }
  signal.throwIfAborted();
  writer.commit(blob, batch, place.behind);
  await setImmediate();
  deps.post({ kind: "indexed", sequence: blob.sequence, hash: blob.hash, captures: ordinal });
}
