/**
 * Reads the parameters of pywb's CDX server. Pure.
 *
 * As there: empty parameters are ignored, and of a repeated one the last counts, `filter` apart. Unlike there, what would be
 * ignored is refused: a script written for another server's parameters would take the wrong rows for the right ones.
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

const PARAMETERS: ReadonlySet<string> = new Set([
  ...["url", "matchType", "from", "from_ts", "to", "filter", "collapseTime", "resolveRevisits", "closest", "reverse"],
  ...["sort", "limit", "fields", "fl", "output", "page", "pageSize", "showNumPages", "showPagedIndex"],
  // Whatever is asked of these, the answer is the same: there is no fuzzy matching, and the connection compresses.
  ...["allowFuzzy", "gzip"],
]);

/** Parameters that other CDX servers have, with what to do instead. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["collapse", "is not supported; collapseTime=10 keeps one capture an hour, more digits keep more"],
  ["offset", "is not supported; page and pageSize cut an answer into parts"],
  ["showResumeKey", "is not supported; page and pageSize cut an answer into parts"],
  ["resumeKey", "is not supported; page and pageSize cut an answer into parts"],
  ["fastLatest", "is not supported; sort=reverse and limit=1 give the newest capture"],
  ["showDupeCount", "is not supported; resolveRevisits=true shows what a revisit stands for"],
  ["showSkipCount", "is not supported; leave it out"],
  ["lastSkipTimestamp", "is not supported; leave it out"],
  ["omitSelfRedirects", "is not supported; filter=!~status:3.. leaves all redirects out"],
  ["accesspoint", "is not supported; what may be seen is set for each collection"],
]);
const SORTS: ReadonlySet<string> = new Set(["default", "reverse", "closest"]);

function refuseUnknown(params: URLSearchParams): void {
  for (const name of params.keys()) {
    if (PARAMETERS.has(name)) continue;
    const instead = ELSEWHERE.get(name);
    if (instead !== undefined) throw badQuery(name, instead);
    const named = /^[A-Za-z][\w.]{0,31}$/.test(name) ? name : "a parameter";
    throw badQuery(
      named,
      "is not known here; if it belongs to the value of url, write & there as %26, else leave it out",
    );
  }
}

/** @throws {CdxError} `BAD_QUERY` */
export function parseQuery(params: URLSearchParams, limits: PywbLimits): PywbQuery {
  refuseUnknown(params);
  const one = (name: string) => params.getAll(name).findLast((value) => value !== "");
  const yes = (name: string) => isTrue(one(name));
  const url = one("url");
  if (url === undefined) throw badQuery("url", "is required");
  if (yes("showPagedIndex"))
    throw badQuery("showPagedIndex", "there are no index blocks here; page gives the captures");
  const sort = one("sort");
  if (sort !== undefined && !SORTS.has(sort)) throw badQuery("sort", `one of ${[...SORTS].join(", ")}`);
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
    reverse: yes("reverse") || sort === "reverse",
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
  if (!/^\d{1,15}$/.test(value)) throw badQuery(parameter, wholeNumberHint(parameter));
  return Number(value);
}

function wholeNumberHint(parameter: string): string {
  const hint = "a whole number, 0 or more";
  return parameter === "limit" ? `${hint}; sort=reverse and a limit give the newest captures` : hint;
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
