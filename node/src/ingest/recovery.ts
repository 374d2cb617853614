/**
 * What a start does about the last end, however that was: files whose journal line has no row are indexed; files on
 * the way are finished or taken back. After it, files, journal and catalog say the same.
 */
import type { JournalEntry, JournalLine } from "../cdx/journal.ts";
import type { ReceivedBlob } from "../storage/blob-store.ts";

export interface RecoveryDeps {
  readonly unsettled: () => Promise<readonly ReceivedBlob[]>;
  readonly holds: (hash: string) => Promise<boolean>;
  /** Journal lines that have no row, oldest first, a few at a time. */
  readonly unread: () => Promise<readonly JournalLine[]>;
  readonly restore: (entry: JournalEntry, journalEnd: number) => Promise<void>;
  readonly skip: (journalEnd: number) => Promise<void>;
  readonly exists: (hash: string) => Promise<boolean>;
  readonly report: (event: RecoveryEvent) => void;
}

export type RecoveryEvent =
  | { readonly kind: "restored"; readonly hash: string }
  /** The journal names a file that is not there. */
  | { readonly kind: "missing"; readonly hash: string }
  | { readonly kind: "withdrawn"; readonly hash: string }
  /** A line of the journal cannot be read; `rebuild` takes its file in again. */
  | { readonly kind: "unreadable"; readonly journalEnd: number };

/** @returns how many files were indexed */
export async function recover(deps: RecoveryDeps, signal: AbortSignal): Promise<number> {
  let restored = 0;
  for (let lines = await deps.unread(); lines.length > 0; lines = await deps.unread()) {
    for (const { entry, end } of lines) {
      signal.throwIfAborted();
      if (entry === undefined) {
        await deps.skip(end);
        deps.report({ kind: "unreadable", journalEnd: end });
        continue;
      }
      if (!(await deps.exists(entry.hash))) {
        await deps.skip(end);
        deps.report({ kind: "missing", hash: entry.hash });
        continue;
      }
      await deps.restore(entry, end);
      restored += 1;
      deps.report({ kind: "restored", hash: entry.hash });
    }
  }
  for (const blob of await deps.unsettled()) {
    if (await deps.holds(blob.hash)) {
      await blob.settle();
      continue;
    }
    await blob.discard({ named: true });
    deps.report({ kind: "withdrawn", hash: blob.hash });
  }
  return restored;
}
