/** Failures of a look-up in the capture index. Codes are wire- and log-stable: add, never rename. */
export interface CdxErrorDetails {
  /** `parameter` cannot be used as it is; `hint` says what it may be. */
  readonly BAD_QUERY: { readonly parameter: string; readonly hint: string };
  readonly COLLECTION_UNKNOWN: { readonly collection: string };
}
export type CdxErrorCode = keyof CdxErrorDetails;

export class CdxError<C extends CdxErrorCode = CdxErrorCode> extends Error {
  override readonly name = "CdxError";
  readonly code: C;
  readonly details: CdxErrorDetails[C];

  constructor(code: C, message: string, details: CdxErrorDetails[C], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** Never repeats what the client sent: the text goes into answers and logs. */
export function badQuery(parameter: string, hint: string, options?: ErrorOptions): CdxError<"BAD_QUERY"> {
  return new CdxError("BAD_QUERY", `${parameter}: ${hint}`, { parameter, hint }, options);
}
