/** Failures of the node-identity controller. Codes are log-stable: add, never rename. */

export interface IdentityErrorDetails {
  /** A Secret holds something that is not the key it should be. */
  readonly BAD_KEY: { readonly secret: string; readonly field: string; readonly reason: string };
}

export class IdentityError<C extends keyof IdentityErrorDetails = keyof IdentityErrorDetails> extends Error {
  override readonly name = "IdentityError";
  readonly code: C;
  readonly details: IdentityErrorDetails[C];

  constructor(code: C, details: IdentityErrorDetails[C], options?: ErrorOptions) {
    super(`${code} ${JSON.stringify(details)}`, options);
    this.code = code;
    this.details = details;
  }
}
