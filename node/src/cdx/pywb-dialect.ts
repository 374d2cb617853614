/**
 * Look-ups in the capture index as pywb's CDX server answers them.
 *
 * Differs from pywb where that is unbounded or unsafe: answers end at `maxRows`, expressions are RE2's, bad numbers are refused
 * and not a fault, pages are cut from the rows that match, so that none before the last is empty. There is no fuzzy matching:
 * an answer holds captures of the URL that was asked for.
 *
 * A capture of a POST is found by the URL that its body makes (`…?__wb_method=POST&…`, `post-append.ts`). Sending the
 * body itself is a thing of pywb's inner server (`/postreq`), and so are blocks of a compressed index (`showPagedIndex`).
 */
import type { AccessScope } from "./access.ts";
import { badQuery, CdxError } from "./errors.ts";
import { firstRows, lastRows, nearestOutwards, nearestRows, rowsBetween } from "./pywb-order.ts";
import { answerText, CONTENT_TYPES } from "./pywb-output.ts";
import { BLOCK_ROWS, type PageChoice, type PywbQuery, parseQuery } from "./pywb-params.ts";
import type { PywbRow } from "./pywb-row.ts";
import { createSelection, type RowBatches, type Selection } from "./pywb-selection.ts";
import type { CaptureReader } from "./stored-capture.ts";

/** pywb's own default for `limit`; more is asked for in pages. */
const MAX_ROWS = 100_000;

export interface CdxAnswer {
  readonly contentType: string;
  /** Each text is one or more whole lines. */
  readonly lines: AsyncIterable<string>;
}

export interface CdxService {
  /**
   * `params` as the client sent them.
   *
   * @throws {CdxError} `BAD_QUERY` names the parameter, `COLLECTION_UNKNOWN`
   */
  query(collection: string, params: URLSearchParams, signal: AbortSignal): Promise<CdxAnswer>;
}

export interface CdxServiceDeps {
  readonly captures: CaptureReader;
  /** What may be seen of the collection at this moment. */
  readonly scopeOf: (collection: string) => AccessScope | undefined;
  /** Most rows of one answer and of one page. */
  readonly maxRows?: number;
  readonly now?: () => Date;
}

export function createCdxService({
  captures,
  scopeOf,
  maxRows = MAX_ROWS,
  now = () => new Date(),
}: CdxServiceDeps): CdxService {
  return {
    async query(collection, params, signal) {
      const scope = scopeOf(collection);
      if (scope === undefined) throw new CdxError("COLLECTION_UNKNOWN", "no such collection", { collection });
      const query = parseQuery(params, { maxRows, now: now() });
      const selection = createSelection({ captures, scope, query, signal });
      if (query.countPages && query.paging !== undefined) return countPages(selection, query.paging);
      const rows = query.paging === undefined ? answer(selection, query) : await page(selection, query, query.paging);
      const choice = { output: query.output, fields: query.fields, resolved: query.resolveRevisits, collection };
      return { contentType: CONTENT_TYPES[query.output], lines: answerText(rows, choice) };
    },
  };
}

function answer(selection: Selection, query: PywbQuery): RowBatches {
  const { closest, reverse, limit } = query;
  if (closest !== undefined && selection.anyOrder && query.range.matchType === "exact") {
    return once(() => nearestOutwards(selection, closest, limit));
  }
  if (closest === undefined && reverse && selection.anyOrder) {
    return firstRows(selection.rows({ descending: true }), limit);
  }
  return ordered(selection.rows({}), query);
}

function ordered(rows: RowBatches, { closest, reverse, limit }: PywbQuery): RowBatches {
  if (closest !== undefined) return once(() => nearestRows(rows, closest, limit));
  if (reverse) return once(() => lastRows(rows, limit));
  return firstRows(rows, limit);
}

async function* once(read: () => Promise<readonly PywbRow[]>): RowBatches {
  yield await read();
}

/** A page is cut in the order of the index and then sorted in itself, as pywb does. */
async function page(selection: Selection, query: PywbQuery, { page, pageSize }: PageChoice): Promise<RowBatches> {
  const rows = pageSize * BLOCK_ROWS;
  const cut = rowsBetween(selection.rows({}), page * rows, (page + 1) * rows);
  if (page === 0) return ordered(cut, query);
  const started = cut[Symbol.asyncIterator]();
  const first = await started.next();
  if (first.done === true) throw badQuery("page", "beyond the last one; showNumPages=true says how many there are");
  return ordered(resumed(first.value, { [Symbol.asyncIterator]: () => started }), query);
}

async function* resumed(first: readonly PywbRow[], rest: RowBatches): RowBatches {
  yield first;
  yield* rest;
}

/** Counts by reading; an estimate would let clients ask for pages that are not there. */
async function countPages(selection: Selection, { pageSize }: PageChoice): Promise<CdxAnswer> {
  let rows = 0;
  for await (const batch of selection.rows({})) rows += batch.length;
  const blocks = Math.ceil(rows / BLOCK_ROWS);
  const text = `{"pages": ${Math.ceil(blocks / pageSize)}, "pageSize": ${pageSize}, "blocks": ${blocks}}\n`;
  return { contentType: "application/json", lines: oneText(text) };
}

async function* oneText(text: string): AsyncGenerator<string, void> {
  yield text;
}
