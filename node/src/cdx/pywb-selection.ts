/**
 * Goes through a range of captures and keeps the rows that a query asks for: visible, resolved, filtered, in time, collapsed,
 * in this order, which is pywb's.
 */

import { setImmediate } from "node:timers/promises";
import { digestKey } from "../warc/digest.ts";
import { type AccessScope, isVisible } from "./access.ts";
import { createFilters, type RowFilters } from "./pywb-filters.ts";
import type { PywbQuery } from "./pywb-params.ts";
import { type PywbRow, statusOf } from "./pywb-row.ts";
import type { CaptureRange, CaptureReader, StoredCapture } from "./stored-capture.ts";

/** Digests remembered while revisits are resolved; then the one met first is forgotten. */
const MAX_ORIGINALS = 100_000;
/** Characters given to expressions before others get the thread; the worst expression takes about 16 µs for each. */
const WORK_SHARE = 4_096;

export type RowBatches = AsyncIterable<readonly PywbRow[]>;

export interface Selection {
  /**
   * Rows in the order of the index, or against it.
   *
   * @param times - narrower than the query's, inclusive
   */
  rows(times: { readonly from?: string; readonly to?: string; readonly descending?: boolean }): RowBatches;
  /** True when a row is chosen without looking at others, so that the index may be read in any direction. */
  readonly anyOrder: boolean;
}

export interface SelectionContext {
  readonly captures: CaptureReader;
  readonly scope: AccessScope;
  readonly query: PywbQuery;
  readonly signal: AbortSignal;
}

/** @throws {CdxError} `BAD_QUERY` for filters */
export function createSelection({ captures, scope, query, signal }: SelectionContext): Selection {
  const filters = createFilters(query.filters);
  return {
    rows({ from, to, descending = false }) {
      const range = { ...readRange(query), descending };
      const narrowed = { ...range, timeFrom: later(range.timeFrom, from), timeTo: earlier(range.timeTo, to) };
      const steps = { choose: createChooser(scope, query, filters), filters, signal };
      return select(captures.scan(scope.name, narrowed, signal), steps);
    },
    anyOrder: !query.resolveRevisits && query.collapseTime === undefined,
  };
}

/** An original may lie before `from`, and in a range of several keys also after `to`. */
function readRange(query: PywbQuery): CaptureRange {
  const { keyFrom, keyTo } = query.range;
  const { resolveRevisits, from, to } = query;
  return {
    keyFrom,
    keyTo,
    timeFrom: resolveRevisits ? undefined : from,
    timeTo: resolveRevisits && keyTo !== undefined ? undefined : to,
    descending: false,
  };
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

function earlier(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

type Chooser = (capture: StoredCapture) => PywbRow | undefined;

interface Steps {
  readonly choose: Chooser;
  readonly filters: RowFilters;
  readonly signal: AbortSignal;
}

async function* select(batches: AsyncIterable<readonly StoredCapture[]>, steps: Steps): RowBatches {
  const { choose, filters, signal } = steps;
  let pauseAt = filters.worked + WORK_SHARE;
  for await (const batch of batches) {
    const rows: PywbRow[] = [];
    for (const capture of batch) {
      const row = choose(capture);
      if (row !== undefined) rows.push(row);
      if (filters.worked < pauseAt) continue;
      await setImmediate();
      signal.throwIfAborted();
      pauseAt = filters.worked + WORK_SHARE;
    }
    signal.throwIfAborted();
    if (rows.length > 0) yield rows;
  }
}

function createChooser(scope: AccessScope, query: PywbQuery, filters: RowFilters): Chooser {
  const resolve = query.resolveRevisits ? createResolver() : undefined;
  const isRepeated = query.collapseTime === undefined ? undefined : createCollapse(query.collapseTime);
  return (capture) => {
    if (!isVisible(scope, capture)) return undefined;
    const row: PywbRow = { capture, original: resolve?.(capture) };
    if (!isInTime(query, capture.timestamp) || !filters.keeps(row)) return undefined;
    return isRepeated?.(row) === true ? undefined : row;
  };
}

function isInTime({ from, to }: PywbQuery, timestamp: string): boolean {
  return (from === undefined || timestamp >= from) && (to === undefined || timestamp <= to);
}

/** Gives a revisit the first response of its digest that was met before it. */
function createResolver(): (capture: StoredCapture) => StoredCapture | "none" {
  const originals = new Map<string, StoredCapture>();
  return (capture) => {
    const digest = digestKey(capture.digest);
    if (capture.mime === "warc/revisit") return originals.get(digest) ?? "none";
    if (digest === "-" || originals.has(digest)) return "none";
    for (const first of originals.keys()) {
      if (originals.size < MAX_ORIGINALS) break;
      originals.delete(first);
    }
    originals.set(digest, capture);
    return "none";
  };
}

/** True for a row whose time, cut to so many digits, and status are those of the row before. */
function createCollapse(digits: number): (row: PywbRow) => boolean {
  let last: string | undefined;
  return (row) => {
    const token = `${row.capture.timestamp.slice(0, digits)} ${statusOf(row) ?? ""}`;
    const same = token === last;
    last = token;
    return same;
  };
}
