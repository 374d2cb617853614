/** Taking stored files out of the archive: the interface. Part of `archive.ts`. */

export interface WithdrawalService {
  /** RFC 3339; `undefined` when it was not withdrawn, or is held again. */
  withdrawnAt(collection: string, hash: string, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Takes a file out of a collection: captures, text, and the bytes when no other collection holds them. It is remembered, so
   * that no copy from a peer brings it back. Repeating it is harmless. Throws `StorageError`; the file may be gone then.
   *
   * @param signal - ends the wait for the text, not what was begun
   * @returns `undefined` when the collection never held the file
   */
  withdraw(collection: string, hash: string, signal: AbortSignal): Promise<WithdrawnBlob | undefined>;
}

export interface WithdrawnBlob {
  /** RFC 3339. */
  readonly withdrawnAt: string;
  /** False when the indexer could not be waited for: searches find the text until it gets to it. */
  readonly isTextOut: boolean;
}
