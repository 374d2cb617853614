/** Failures of keys, certificates, delegations and documents. Codes are log-stable: add, never rename. */
export interface IdentityErrorDetails {
  /** A key file is missing, unreadable or of the wrong kind. */
  readonly BAD_KEY_FILE: { readonly file: string; readonly reason: string };
  readonly BAD_DELEGATION: { readonly reason: string };
  /** A document does not have the promised shape. */
  readonly BAD_DOCUMENT: { readonly reason: string };
  /** A document's digest is not the digest of its content. */
  readonly DOCUMENT_DIGEST_MISMATCH: { readonly expected: string; readonly actual: string };
  /** A document is not newer than the one in use. */
  readonly DOCUMENT_SEQUENCE_OLD: { readonly held: number; readonly offered: number };
}
export type IdentityErrorCode = keyof IdentityErrorDetails;

const MESSAGES: { readonly [C in IdentityErrorCode]: (details: IdentityErrorDetails[C]) => string } = {
  BAD_KEY_FILE: (details) => `${details.file}: ${details.reason}; restore it, or put a right one in its place`,
  BAD_DELEGATION: (details) => `delegation refused: ${details.reason}`,
  BAD_DOCUMENT: (details) => `document refused: ${details.reason}`,
  DOCUMENT_DIGEST_MISMATCH: (details) => `digest is ${details.actual}, the document says ${details.expected}`,
  DOCUMENT_SEQUENCE_OLD: (details) => `sequence ${details.offered} is not higher than ${details.held}`,
};

export class IdentityError<C extends IdentityErrorCode = IdentityErrorCode> extends Error {
  override readonly name = "IdentityError";
  readonly code: C;
  readonly details: IdentityErrorDetails[C];

  constructor(code: C, details: IdentityErrorDetails[C], options?: ErrorOptions) {
    super(MESSAGES[code](details), options);
    this.code = code;
    this.details = details;
  }
}
