/** Failures of talking to a pod's admin port. Codes are log-stable: add, never rename. */

export interface AdminErrorDetails {
  readonly UNREACHABLE: { readonly pod: string; readonly reason: string };
  readonly BAD_ANSWER: { readonly pod: string; readonly status: number; readonly reason: string };
  /** The operator has no certificate to show yet. */
  readonly NO_CREDENTIALS: Record<never, never>;
}

export class AdminError<C extends keyof AdminErrorDetails = keyof AdminErrorDetails> extends Error {
  override readonly name = "AdminError";
  readonly code: C;
  readonly details: AdminErrorDetails[C];

  constructor(code: C, details: AdminErrorDetails[C], options?: ErrorOptions) {
    super(`${code} ${JSON.stringify(details)}`, options);
    this.code = code;
    this.details = details;
  }
}
