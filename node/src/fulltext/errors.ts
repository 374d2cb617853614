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

const MESSAGES: { readonly [C in FullTextErrorCode]: (details: FullTextErrorDetails[C]) => string } = {
  INDEX_DAMAGED: ({ file }) => `${file} cannot be read and is made anew from the stored files: ask again later`,
  WORKER_LOST: ({ reason }) => `the thread of this search ended (${reason}): ask again`,
  QUERY_TIMEOUT: ({ afterMs }) => `no answer within ${afterMs} ms: ask a narrower question`,
  OVERLOADED: ({ waiting }) => `${waiting} searches wait already: ask again in a few seconds`,
  CLOSED: () => "the full-text index is closed: the node is shutting down",
};

export class FullTextError<C extends FullTextErrorCode = FullTextErrorCode> extends Error {
  override readonly name = "FullTextError";
  readonly code: C;
  readonly details: FullTextErrorDetails[C];

  constructor(code: C, details: FullTextErrorDetails[C], options?: ErrorOptions) {
    super(MESSAGES[code](details), options);
    this.code = code;
    this.details = details;
  }
}
