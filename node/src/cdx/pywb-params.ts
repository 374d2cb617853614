/**
 * Reads the parameters of pywb's CDX server. Pure.
 *
 * As there: unknown and empty parameters are ignored, and of a repeated one the last counts, `filter` apart.
 */
import { badQuery } from "./errors.ts";
import { type KeyRange, keyRange } from "./pywb-range.ts";
import { earliestMoment, latestMoment, timestampOf } from "./timestamp.ts";

export const OUTPUTS = ["cdxj", "json", "text", "link"] as const;
export type Output = (typeof OUTPUTS)[number];

/** Rows in a block: what a block of a compressed index holds at Common Crawl. */
export const BLOCK_ROWS = 3_000;
/** Blocks in a page, pywb's default. */
const PAGE_BLOCKS = 10;
/** Every row is written with each; there are about 20, and some have two names. */
const MAX_FIELDS = 64;

export interface PageChoice {
  /** Counted from 0. */
  readonly page: number;
  /** Blocks in a page. */
  readonly pageSize: number;
}

export interface PywbQuery {
  readonly range: KeyRange;
  /** Inclusive, 14 digits. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly filters: readonly string[];
  /** Digits of the timestamp that make neighbours with the same status one. */
  readonly collapseTime: number | undefined;
  readonly resolveRevisits: boolean;
  /** `closest` as 14 digits goes before `reverse`. */
  readonly closest: string | undefined;
  readonly reverse: boolean;
  readonly limit: number;
  /** Names as the client gave them; absent: all of the output. */
  readonly fields: readonly string[] | undefined;
  readonly output: Output;
  /** Absent: the answer is not cut into pages. */
  readonly paging: PageChoice | undefined;
  readonly countPages: boolean;
}

export interface PywbLimits {
  /** Most rows of one answer. */
  readonly maxRows: number;
  /** For `closest=now`. */
  readonly now: Date;
}

/** @throws {CdxError} `BAD_QUERY` */
export function parseQuery(params: URLSearchParams, limits: PywbLimits): PywbQuery {
  const one = (name: string) => params.getAll(name).findLast((value) => value !== "");
  const yes = (name: string) => isTrue(one(name));
  const url = one("url");
  if (url === undefined) throw badQuery("url", "is required");
  if (yes("showPagedIndex"))
    throw badQuery("showPagedIndex", "there are no index blocks here; page gives the captures");
  const countPages = yes("showNumPages");
  const closest = one("closest");
  const collapse = one("collapseTime");
  return {
    range: keyRange(url, one("matchType")),
    from: bound("from", one("from") ?? one("from_ts"), earliestMoment),
    to: bound("to", one("to"), latestMoment),
    filters: params.getAll("filter").filter((text) => text !== ""),
    collapseTime: collapse === undefined ? undefined : wholeNumber("collapseTime", collapse),
    resolveRevisits: yes("resolveRevisits"),
    closest: closest === undefined ? undefined : closestTime(closest, limits.now),
    reverse: yes("reverse") || one("sort") === "reverse",
    limit: limitOf(one("limit"), limits.maxRows),
    fields: fieldsOf(one("fields") ?? one("fl")),
    output: outputOf(one("output")),
    paging: pagingOf({ page: one("page"), pageSize: one("pageSize"), countPages }, limits.maxRows),
    countPages,
  };
}

/** pywb takes anything for true that is none of these. */
function isTrue(value: string | undefined): boolean {
  return value !== undefined && !["0", "false", "f", "off"].includes(value.toLowerCase());
}

function outputOf(value: string | undefined): Output {
  const output = OUTPUTS.find((each) => each === (value ?? "cdxj"));
  if (output === undefined) throw badQuery("output", `one of ${OUTPUTS.join(", ")}`);
  return output;
}

function wholeNumber(parameter: string, value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw badQuery(parameter, "a whole number, 0 or more");
  return Number(value);
}

function fieldsOf(value: string | undefined): readonly string[] | undefined {
  const fields = value?.split(",").map((name) => name.trim());
  if (fields !== undefined && fields.length > MAX_FIELDS) throw badQuery("fields", `at most ${MAX_FIELDS} of them`);
  return fields;
}

/** `0` asks pywb for all; here for as much as one answer may hold. */
function limitOf(value: string | undefined, maxRows: number): number {
  const asked = value === undefined ? maxRows : wholeNumber("limit", value);
  return asked === 0 ? maxRows : Math.min(asked, maxRows);
}

function pagingOf(
  asked: { readonly page: string | undefined; readonly pageSize: string | undefined; readonly countPages: boolean },
  maxRows: number,
): PageChoice | undefined {
  const { page, pageSize, countPages } = asked;
  if (page === undefined && pageSize === undefined && !countPages) return undefined;
  const most = Math.max(1, Math.floor(maxRows / BLOCK_ROWS));
  const blocks = pageSize === undefined ? Math.min(PAGE_BLOCKS, most) : wholeNumber("pageSize", pageSize);
  if (blocks === 0) throw badQuery("pageSize", "1 or more");
  return { page: page === undefined ? 0 : wholeNumber("page", page), pageSize: Math.min(blocks, most) };
}

/**
 * Digits that are not given stand for all values, so that `from=2014&to=2014` is the year. pywb pads an odd number of digits
 * to a time in the middle (`to=20141` is not October); a whole number of parts means the same in both.
 */
function bound(parameter: string, value: string | undefined, moment: (digits: string) => string): string | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,14}$/.test(value)) throw badQuery(parameter, "1 to 14 digits");
  return moment(value);
}

/** What pywb fills a time without its month with, digit by digit. */
const MONTH_FILL = "299912";

/** The end of the period that the digits name, as pywb reads them: a lone digit behind the month is left out. */
function closestTime(value: string, now: Date): string {
  if (value === "now") return timestampOf(now);
  if (!/^\d{1,14}$/.test(value)) throw badQuery("closest", "1 to 14 digits, or now");
  const month = value.length >= 6 ? value : value + MONTH_FILL.slice(value.length);
  const year = Math.max(1900, Math.min(Number(month.slice(0, 4)), 2999));
  return latestMoment(year + month.slice(4, month.length - (month.length % 2)));
}
