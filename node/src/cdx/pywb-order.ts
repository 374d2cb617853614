/** Order, limit and pages over batches of rows, in memory that the limit bounds. */
import type { PywbRow } from "./pywb-row.ts";
import type { RowBatches, Selection } from "./pywb-selection.ts";

/** The first rows. */
export async function* firstRows(batches: RowBatches, limit: number): RowBatches {
  let left = limit;
  for await (const rows of batches) {
    yield rows.length > left ? rows.slice(0, left) : rows;
    left -= rows.length;
    if (left <= 0) return;
  }
}

/** Rows `from` to `to`, the latter outside. */
export async function* rowsBetween(batches: RowBatches, from: number, to: number): RowBatches {
  let position = 0;
  for await (const rows of batches) {
    const part = rows.slice(Math.max(0, from - position), Math.max(0, to - position));
    position += rows.length;
    if (part.length > 0) yield part;
    if (position >= to) return;
  }
}

/** The last rows, last first. */
export async function lastRows(batches: RowBatches, limit: number): Promise<readonly PywbRow[]> {
  let kept: PywbRow[] = [];
  for await (const rows of batches) {
    kept.push(...rows);
    if (kept.length > 2 * limit) kept = kept.slice(-limit);
  }
  return kept.slice(-limit).reverse();
}

/** The rows nearest in time, nearest first; of equally near ones the first in `batches` first. */
export async function nearestRows(batches: RowBatches, closest: string, limit: number): Promise<readonly PywbRow[]> {
  const nearest = secondsFrom(closest);
  let kept: PywbRow[] = [];
  for await (const rows of batches) {
    kept.push(...rows);
    if (kept.length > 2 * limit) kept = nearestFirst(kept, nearest).slice(0, limit);
  }
  return nearestFirst(kept, nearest).slice(0, limit);
}

function nearestFirst(rows: readonly PywbRow[], distance: (row: PywbRow) => number): PywbRow[] {
  return rows
    .map((row) => ({ row, distance: distance(row) }))
    .sort((a, b) => a.distance - b.distance)
    .map(({ row }) => row);
}

/**
 * The same for the captures of one key, reading outwards from the wanted time, so that a few near ones of very many cost
 * little. Needs a selection of any order.
 */
export async function nearestOutwards(
  selection: Selection,
  closest: string,
  limit: number,
): Promise<readonly PywbRow[]> {
  const distance = secondsFrom(closest);
  const before = inIndexOrder(selection.rows({ to: closest, descending: true }), closest, limit)[
    Symbol.asyncIterator
  ]();
  const after = single(selection.rows({ from: closest }))[Symbol.asyncIterator]();
  const kept: PywbRow[] = [];
  try {
    let [back, ahead] = [await before.next(), await after.next()];
    while (kept.length < limit && !(back.done === true && ahead.done === true)) {
      if (ahead.done === true || (back.done !== true && distance(back.value) <= distance(ahead.value))) {
        kept.push(back.value as PywbRow);
        back = await before.next();
      } else {
        kept.push(ahead.value);
        ahead = await after.next();
      }
    }
  } finally {
    await before.return?.();
    await after.return?.();
  }
  return kept;
}

async function* single(batches: RowBatches): AsyncGenerator<PywbRow, void> {
  for await (const rows of batches) yield* rows;
}

/** Rows before a time, latest first, but those of the same second in the order of the index. */
async function* inIndexOrder(batches: RowBatches, before: string, limit: number): AsyncGenerator<PywbRow, void> {
  let group: PywbRow[] = [];
  for await (const row of single(batches)) {
    const { timestamp } = row.capture;
    if (timestamp >= before) continue;
    if (group[0] !== undefined && group[0].capture.timestamp !== timestamp) {
      yield* group.reverse();
      group = [];
    }
    group.push(row);
    if (group.length > 2 * limit) group = group.slice(-limit);
  }
  yield* group.reverse();
}

function secondsFrom(closest: string): (row: PywbRow) => number {
  const wanted = seconds(closest);
  return ({ capture }) => Math.abs(seconds(capture.timestamp) - wanted);
}

function seconds(timestamp: string): number {
  const part = (from: number, to: number) => Number(timestamp.slice(from, to));
  return Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(8, 10), part(10, 12), part(12, 14)) / 1000;
}
