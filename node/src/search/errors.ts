/** Failures of a search. Codes are wire- and log-stable: add, never rename. */
export interface SearchErrorDetails {
  /** The question cannot be answered as it is; `hint` says what to change. */
  readonly BAD_QUERY: { readonly hint: string };
  readonly DEADLINE_EXCEEDED: { readonly afterMs: number };
  /** Too many searches at once. */
  readonly OVERLOADED: { readonly waiting: number };
}
export type SearchErrorCode = keyof SearchErrorDetails;

export class SearchError<C extends SearchErrorCode = SearchErrorCode> extends Error {
  override readonly name = "SearchError";
  readonly code: C;
  readonly details: SearchErrorDetails[C];

  constructor(code: C, message: string, details: SearchErrorDetails[C], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

export function badQuery(hint: string): SearchError<"BAD_QUERY"> {
  return new SearchError("BAD_QUERY", hint, { hint });
}

/** Whether the time was over, by the clock of the index or by the caller's. */
export function isLate(error: unknown): boolean {
  if (error instanceof SearchError) return (error as SearchError).code === "DEADLINE_EXCEEDED";
  return error instanceof Error && error.name === "TimeoutError";
}
