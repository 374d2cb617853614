/**
 * What a start does about the last end, however that was: files whose journal line has no row are indexed, or leave the
 * catalog; files on the way in or out are finished or taken back. After it, files, journal and catalog say the same.
 */
import type { UnreadLine } from "../cdx/catalog-calls.ts";
import type { JournalEntry, Withdrawal } from "../cdx/journal.ts";
import type { ReceivedBlob } from "../storage/blob-store.ts";

export interface RecoveryDeps {
  readonly unsettled: () => Promise<readonly ReceivedBlob[]>;
  readonly holds: (hash: string) => Promise<boolean>;
  /** Journal lines that have no row, oldest first, a few at a time. */
  readonly unread: () => Promise<readonly UnreadLine[]>;
  readonly restore: (entry: JournalEntry, journalEnd: number) => Promise<void>;
  readonly withdraw: (withdrawal: Withdrawal, journalEnd: number) => Promise<void>;
  readonly skip: (journalEnd: number) => Promise<void>;
  readonly exists: (hash: string) => Promise<boolean>;
  readonly report: (event: RecoveryEvent) => void;
}

export type RecoveryEvent =
  | { readonly kind: "restored"; readonly hash: string }
  /** The journal names a file that is not there. */
  | { readonly kind: "missing"; readonly hash: string }
  | { readonly kind: "withdrawn"; readonly hash: string }
  /** No collection holds these bytes: they are off the volume. */
  | { readonly kind: "removed"; readonly hash: string }
  /** A line of the journal cannot be read; `rebuild` takes its file in again. */
  | { readonly kind: "unreadable"; readonly journalEnd: number };

/** @returns how many files were indexed */
export async function recover(deps: RecoveryDeps, signal: AbortSignal): Promise<number> {
  let restored = 0;
  for (let lines = await deps.unread(); lines.length > 0; lines = await deps.unread()) {
    for (const line of lines) {
      signal.throwIfAborted();
      if (await takeIn(line, deps)) restored += 1;
    }
  }
  for (const blob of await deps.unsettled()) {
    if (await deps.holds(blob.hash)) {
      await blob.settle();
      continue;
    }
    await blob.discard({ named: true });
    deps.report({ kind: "removed", hash: blob.hash });
  }
  return restored;
}

/** @returns whether it is a file that was indexed */
async function takeIn({ entry, withdrawal, isOver, end }: UnreadLine, deps: RecoveryDeps): Promise<boolean> {
  if (withdrawal !== undefined) {
    await deps.withdraw(withdrawal, end);
    deps.report({ kind: "withdrawn", hash: withdrawal.hash });
    return false;
  }
  if (entry !== undefined && !isOver && (await deps.exists(entry.hash))) {
    await deps.restore(entry, end);
    deps.report({ kind: "restored", hash: entry.hash });
    return true;
  }
  await deps.skip(end);
  if (entry === undefined) deps.report({ kind: "unreadable", journalEnd: end });
  else if (!isOver) deps.report({ kind: "missing", hash: entry.hash });
  return false;
}
