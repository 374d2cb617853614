/**
 * Dates of records to 14 digits, UTC: every form that means one moment, and nothing that has to be guessed. Pure.
 *
 * Forms: ISO 8601 at any precision with or without an offset (WARC 1.1, 5.4), 4 to 18 bare digits (ARC), the three of HTTP
 * (RFC 9110, 5.6.7) and those of mail with a numeric offset (RFC 5322).
 */

/** What an index holds for a capture whose date cannot be read: no calendar has it, so nobody takes it for a time. */
export const NO_TIMESTAMP = "00000000000000";

const ISO =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T\s]+(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?)?)?)?\s*(Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?$/i;
/** Digits beyond the seconds are fractions of one. */
const BARE =
  /^(\d{4})(?:(\d\d)(?:(\d\d)(?:T?(\d\d)(?:(\d\d)(?:(\d\d)(?:[.,]?\d{1,9})?)?)?)?)?)?\s*(Z|[+-]\d\d:?(?:\d\d)?)?$/i;
const MAIL =
  /^(?:[a-z]{3,9},?\s+)?(\d{1,2})[\s-]+([a-z]{3})[a-z]*[\s-]+(\d{2}|\d{4})\s+(\d\d):(\d\d)(?::(\d\d))?\s*(Z|UTC?|GMT|[+-]\d{4})?$/i;
const ASCTIME = /^[a-z]{3},?\s+([a-z]{3})\s+(\d{1,2})\s+(\d\d):(\d\d):(\d\d)\s+(?:(?:UTC|GMT)\s+)?(\d{4})$/i;
const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** Parts as written; `undefined` where the form leaves one out. */
type Parts = readonly [
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  hour: string | undefined,
  minute: string | undefined,
  second: string | undefined,
  zone: string | undefined,
];

/** @returns `undefined` for what names no moment, such as a 44th month; missing parts are the earliest */
export function recordTimestamp(date: string): string | undefined {
  const parts = partsOf(date.trim());
  if (parts === undefined) return undefined;
  const [year = "", month = "01", day = "01", hour = "00", minute = "00", second = "00", zone] = parts;
  const digits = year + month + day.padStart(2, "0") + hour + minute + second;
  const offset = offsetMinutes(zone);
  if (!isMoment(digits) || offset === undefined) return undefined;
  if (offset === 0 && hour !== "24") return digits;
  const moment = new Date(0);
  moment.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  moment.setUTCHours(Number(hour), Number(minute) - offset, Number(second));
  const text = moment.toISOString();
  return /^\d{4}-/.test(text) ? text.replace(/\D/g, "").slice(0, 14) : undefined;
}

function partsOf(date: string): Parts | undefined {
  const plain = ISO.exec(date) ?? BARE.exec(date);
  if (plain !== null) return [plain[1], plain[2], plain[3], plain[4], plain[5], plain[6], plain[7]];
  const mail = MAIL.exec(date);
  if (mail !== null) return [fullYear(mail[3]), monthOf(mail[2]), mail[1], mail[4], mail[5], mail[6], mail[7]];
  const asc = ASCTIME.exec(date);
  return asc === null ? undefined : [asc[6], monthOf(asc[1]), asc[2], asc[3], asc[4], asc[5], undefined];
}

/** A name that is no month becomes one that no calendar has. */
function monthOf(name: string | undefined): string {
  return String(MONTHS.indexOf(name?.toLowerCase() ?? "") + 1).padStart(2, "0");
}

/** Two digits as RFC 850 writes them; the web is younger than 1969. */
function fullYear(year: string | undefined): string | undefined {
  if (year?.length !== 2) return year;
  return (Number(year) < 69 ? "20" : "19") + year;
}

/** East of Greenwich; a date without a zone is UTC, as the WARC standard has it. */
function offsetMinutes(zone: string | undefined): number | undefined {
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(zone ?? "");
  if (match === null) return 0;
  const [hours, minutes] = [Number(match[2]), Number(match[3] ?? "0")];
  if (hours > 14 || minutes > 59) return undefined;
  return (match[1] === "-" ? -1 : 1) * (hours * 60 + minutes);
}

/** Leap seconds are real, and midnight may be written as the end of a day. */
function isMoment(digits: string): boolean {
  const part = (from: number): number => Number(digits.slice(from, from + 2));
  const [month, day, hour, minute, second] = [part(4), part(6), part(8), part(10), part(12)];
  if (month < 1 || month > 12 || day < 1 || digits.startsWith("0000")) return false;
  // The years up to 99 would be taken for those of the last century; every fourth hundred years the calendar repeats.
  if (day > new Date(Date.UTC(2000 + (Number(digits.slice(0, 4)) % 400), month, 0)).getUTCDate()) return false;
  if (hour === 24) return minute === 0 && second === 0;
  return hour <= 23 && minute <= 59 && second <= 60;
}
