/** Why a file was not taken. Codes are wire- and log-stable: add, never rename. */
export interface IngestErrorDetails {
  readonly DIGEST_MISMATCH: { readonly expected: string; readonly actual: string };
  /** The collection held the file, and somebody withdrew it. */
  readonly WITHDRAWN: { readonly hash: string; readonly collection: string; readonly withdrawnAt: string };
  /** No record could be read anywhere in it. */
  readonly NOT_AN_ARCHIVE: { readonly size: number };
  /** The file was received whole, but its length is not the announced one. */
  readonly SIZE_MISMATCH: { readonly expected: number; readonly actual: number };
}
export type IngestErrorCode = keyof IngestErrorDetails;

const MESSAGES: { readonly [C in IngestErrorCode]: (details: IngestErrorDetails[C]) => string } = {
  DIGEST_MISMATCH: ({ expected, actual }) => `expected SHA-256 ${expected}, received ${actual}: send the file again`,
  WITHDRAWN: ({ hash, collection, withdrawnAt }) =>
    `${hash} was withdrawn from collection "${collection}" at ${withdrawnAt}: send it with ?again=true if it is to be there again`,
  NOT_AN_ARCHIVE: ({ size }) => `no WARC or ARC record in these ${size} bytes: check what was sent`,
  SIZE_MISMATCH: ({ expected, actual }) => `${expected} bytes were announced, ${actual} came: send the file again`,
};

export class IngestError<C extends IngestErrorCode = IngestErrorCode> extends Error {
  override readonly name = "IngestError";
  readonly code: C;
  readonly details: IngestErrorDetails[C];

  constructor(code: C, details: IngestErrorDetails[C], options?: ErrorOptions) {
    super(MESSAGES[code](details), options);
    this.code = code;
    this.details = details;
  }
}
