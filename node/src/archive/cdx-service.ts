/** Looking captures up: the interface. Part of `archive.ts`. */

/** One answer in pywb's dialect (`cdx/pywb-dialect.ts`): finished lines of the chosen output. */
export interface CdxAnswer {
  readonly contentType: string;
  /** Each text is one or more whole lines, line ends included. */
  readonly lines: AsyncIterable<string>;
}

export interface CdxService {
  /** `params` as the client sent them. Throws `CdxError` (`BAD_QUERY` names the parameter). */
  query(collection: string, params: URLSearchParams, signal: AbortSignal): Promise<CdxAnswer>;
}
