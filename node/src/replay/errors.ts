/** Failures of replaying captures. Codes are log-stable: add, never rename. */
export interface ReplayErrorDetails {
  /** A revisit brings no payload of its own, and the capture that has it is not held or hidden. */
  readonly ORIGINAL_MISSING: { readonly url: string; readonly timestamp: string };
}
export type ReplayErrorCode = keyof ReplayErrorDetails;

const MESSAGES: { readonly [C in ReplayErrorCode]: (details: ReplayErrorDetails[C]) => string } = {
  ORIGINAL_MISSING: ({ url, timestamp }) =>
    `the capture of ${timestamp} is a revisit, and the capture of ${url} it refers to is not held`,
};

export class ReplayError<C extends ReplayErrorCode = ReplayErrorCode> extends Error {
  override readonly name = "ReplayError";
  readonly code: C;
  readonly details: ReplayErrorDetails[C];

  constructor(code: C, details: ReplayErrorDetails[C], options?: ErrorOptions) {
    super(MESSAGES[code](details), options);
    this.code = code;
    this.details = details;
  }
}
