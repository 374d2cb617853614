/** Why a caller is not given what it asked for. Codes are wire- and log-stable: add, never rename. */
export interface AccessErrorDetails {
  /** The collection needs the node's access token, or the caller must be a trusted peer. */
  readonly AUTH_REQUIRED: Record<string, never>;
  /** Whole files of this collection are given with the token only: they may hold captures that are hidden. */
  readonly CONTENT_RESTRICTED: { readonly collection: string };
  readonly COLLECTION_UNKNOWN: { readonly collection: string };
}
export type AccessErrorCode = keyof AccessErrorDetails;

const TOKEN_FIELD = "send the node's access token as Authorization: Bearer";

const MESSAGES: { readonly [C in AccessErrorCode]: (details: AccessErrorDetails[C]) => string } = {
  AUTH_REQUIRED: () => TOKEN_FIELD,
  CONTENT_RESTRICTED: () => `the collection hides captures, which its files may hold: ${TOKEN_FIELD}`,
  COLLECTION_UNKNOWN: ({ collection }) => `no collection "${collection}" here`,
};

export class AccessError<C extends AccessErrorCode = AccessErrorCode> extends Error {
  override readonly name = "AccessError";
  readonly code: C;
  readonly details: AccessErrorDetails[C];

  constructor(code: C, details: AccessErrorDetails[C], options?: ErrorOptions) {
    super(MESSAGES[code](details), options);
    this.code = code;
    this.details = details;
  }
}
