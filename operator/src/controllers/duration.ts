/** Durations as users write them in spec: the Go form, `1h30m`, `90s`, `250ms`. */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/gy;

/**
 * Milliseconds of a Go duration.
 *
 * @throws {RangeError} the text is not a sequence of number and unit (`h`, `m`, `s`, `ms`)
 */
export function durationMs(text: string): number {
  let total = 0;
  let end = 0;
  for (const match of text.matchAll(PART)) {
    total += Number(match[1]) * (UNIT_MS[match[2] ?? ""] ?? Number.NaN);
    end = match.index + match[0].length;
  }
  if (end !== text.length || end === 0 || Number.isNaN(total)) throw new RangeError(`not a duration: ${text}`);
  return total;
}
