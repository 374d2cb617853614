/** Times of captures: 14 digits, UTC. Everything that reads part of one (bounds, `closest`, dates of records) reads it here. Pure. */

/** Of a clock, whole seconds. */
export function timestampOf(time: Date): string {
  return time.toISOString().replace(/\D/g, "").slice(0, 14);
}

/** Seconds since 1970 of 14 digits; 0 for what lies before. */
export function epochSecondsOf(digits: string): number {
  const part = (from: number, to: number): number => Number(digits.slice(from, to));
  const [year, month, day] = [part(0, 4), part(4, 6), part(6, 8)];
  const milliseconds = Date.UTC(year, month - 1, day, part(8, 10), part(10, 12), part(12, 14));
  // What the years up to 99 are taken for is no time of a file either.
  return year < 1970 ? 0 : Math.floor(milliseconds / 1000);
}

/**
 * The first moment that 0 to 14 digits can mean: `2024` is the start of its first of January, `20241` that of October. All 14
 * stay as they are, leap seconds too: the date of a record is what its crawler wrote.
 */
export function earliestMoment(digits: string): string {
  return digits.length === 14 ? digits : momentOf(digits.padEnd(14, "0"));
}

/** The last one: `2024` is the end of its last of December, `202402` that of the 29th of February. */
export function latestMoment(digits: string): string {
  return momentOf(digits.padEnd(14, "9"));
}

/** Parts that no calendar has become the nearest that it has. */
function momentOf(digits: string): string {
  const part = (from: number, least: number, most: number): number =>
    Math.max(least, Math.min(Number(digits.slice(from, from + 2)), most));
  const year = digits.slice(0, 4);
  const month = part(4, 1, 12);
  const parts = [month, part(6, 1, daysIn(Number(year), month)), part(8, 0, 23), part(10, 0, 59), part(12, 0, 59)];
  return year + parts.map((each) => String(each).padStart(2, "0")).join("");
}

function daysIn(year: number, month: number): number {
  // The years up to 99 would be taken for those of the last century; every fourth hundred years the calendar repeats.
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}
