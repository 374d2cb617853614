/** Failures of reading archive files. Codes are log-stable: add, never rename. Damage is a value, not an error. */
export interface WarcErrorDetails {
  /** The bytes ended or failed while a block was being read; the reader reports the range as damage as well. */
  readonly BLOCK_DAMAGED: { readonly offset: number; readonly reason: string };
  /** No record starts at this offset. */
  readonly NO_RECORD: { readonly offset: number; readonly reason: string };
  /** A body needs more than its cap. */
  readonly TOO_LARGE: { readonly what: string; readonly limitBytes: number };
  /** A content coding that cannot be removed. */
  readonly UNSUPPORTED_CODING: { readonly coding: string };
  /** A content coding whose data are broken. */
  readonly CODING_DAMAGED: { readonly coding: string };
}
export type WarcErrorCode = keyof WarcErrorDetails;

export class WarcError<C extends WarcErrorCode = WarcErrorCode> extends Error {
  override readonly name = "WarcError";
  readonly code: C;
  readonly details: WarcErrorDetails[C];

  constructor(code: C, details: WarcErrorDetails[C], options?: ErrorOptions) {
    super(code, options);
    this.code = code;
    this.details = details;
  }
}
