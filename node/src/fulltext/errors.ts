/** Failures of the full-text index. Codes are log-stable: add, never rename. */
export interface FullTextErrorDetails {
  /** The database cannot be read; the indexer sets it aside and fills a new one from the blobs. */
  readonly INDEX_DAMAGED: { readonly file: string };
  /** A worker ended by itself. The pool has already started another. */
  readonly WORKER_LOST: { readonly reason: string };
  /** The question ran past its deadline and its worker was ended. */
  readonly QUERY_TIMEOUT: { readonly afterMs: number };
  /** More questions wait than the pool takes; the asker should come back later. */
  readonly OVERLOADED: { readonly waiting: number };
  readonly CLOSED: Record<string, never>;
}
export type FullTextErrorCode = keyof FullTextErrorDetails;

export class FullTextError<C extends FullTextErrorCode = FullTextErrorCode> extends Error {
  override readonly name = "FullTextError";
  readonly code: C;
  readonly details: FullTextErrorDetails[C];

  constructor(code: C, details: FullTextErrorDetails[C], options?: ErrorOptions) {
    super(code, options);
    this.code = code;
    this.details = details;
  }
}
