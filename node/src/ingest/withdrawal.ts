/**
 * A file leaves the archive: a note on the volume first, then the journal's line, the catalog, the bytes. An end at any moment
 * leaves nothing done, or a line that the next start carries out and a note by which it finds the bytes.
 */
import type { Withdraw, WithdrawnFile } from "../cdx/catalog-calls.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import type { KeyedLock } from "./keyed-lock.ts";

export interface WithdrawalDeps {
  readonly blobs: Pick<BlobStore, "doubt">;
  readonly index: {
    readonly held: (collection: string, hash: string) => Promise<object | undefined>;
    /** The last withdrawal of a file that the collection does not hold. */
    readonly withdrawn: (collection: string, hash: string) => Promise<WithdrawnFile | undefined>;
    /** @returns the sequence of the withdrawal; `undefined` when the collection does not hold the file */
    readonly withdraw: (withdraw: Withdraw) => Promise<number | undefined>;
    /** Whether any collection holds it. */
    readonly holds: (hash: string) => Promise<boolean>;
  };
  /** Told after each withdrawal. */
  readonly withdrawn: () => void;
  /** Told of bytes that could not be decided about; the next start does it. */
  readonly leftBehind: (hash: string, error: unknown) => void;
  readonly now: () => Date;
}

/**
 * Repeating it does again what was not done to the end.
 *
 * @returns the withdrawal; `undefined` when the collection never held the file
 */
export async function withdrawFile(
  deps: WithdrawalDeps,
  locks: KeyedLock,
  { collection, hash }: { readonly collection: string; readonly hash: string },
): Promise<WithdrawnFile | undefined> {
  using _held = await locks.lock(hash);
  const { index } = deps;
  const isKnown = (await index.held(collection, hash)) ?? (await index.withdrawn(collection, hash));
  if (isKnown === undefined) return undefined;
  const note = await deps.blobs.doubt(hash);
  const leave = async (): Promise<void> => ((await index.holds(hash)) ? note.settle() : note.discard({ named: true }));
  try {
    const withdrawnAt = `${deps.now().toISOString().slice(0, 19)}Z`;
    await index.withdraw({ withdrawal: { collection, hash, withdrawnAt }, journalEnd: undefined });
  } catch (error) {
    await leave().catch((failure: unknown) => deps.leftBehind(hash, failure));
    throw error;
  }
  deps.withdrawn();
  await leave();
  return await index.withdrawn(collection, hash);
}
