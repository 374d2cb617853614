/** Which keys a `url` and `matchType` of pywb's CDX server stand for. Pure. */
import { badQuery } from "./errors.ts";
import { surt } from "./surt.ts";

export const MATCH_TYPES = ["exact", "prefix", "host", "domain"] as const;
export type MatchType = (typeof MATCH_TYPES)[number];

/** Longer than any URL that browsers and crawlers send; work on a key grows with its length. */
const MAX_URL_CHARS = 16_384;

export interface KeyRange {
  readonly matchType: MatchType;
  readonly keyFrom: string;
  /** First key outside; absent: `keyFrom` alone. */
  readonly keyTo: string | undefined;
}

/**
 * Wildcards count only where the client names no match type: `*.` before a host is `domain`, `*` at the end is `prefix`.
 *
 * @throws {CdxError} `BAD_QUERY`
 */
export function keyRange(url: string, matchType: string | undefined): KeyRange {
  if (url.length > MAX_URL_CHARS) throw badQuery("url", `at most ${MAX_URL_CHARS} characters`);
  const wanted = matchType === undefined ? withoutWildcard(url) : { url, matchType: checked(matchType) };
  if (wanted.url.trim() === "") throw badQuery("url", "a wildcard needs a host or a path beside it");
  const key = surt(wanted.url);
  switch (wanted.matchType) {
    case "exact":
      return { matchType: "exact", keyFrom: key, keyTo: undefined };
    case "prefix":
      return prefixRange(wanted.url, key);
    case "host": {
      const host = hostOf(key);
      return { matchType: "host", keyFrom: `${host})/`, keyTo: `${host}*` };
    }
    case "domain": {
      const host = hostOf(key);
      // NOTE: a lone top-level domain has no pages of its own.
      return { matchType: "domain", keyFrom: host.includes(",") ? `${host})/` : `${host},`, keyTo: `${host}-` };
    }
  }
}

function checked(matchType: string): MatchType {
  const known = MATCH_TYPES.find((each) => each === matchType);
  if (known === undefined) throw badQuery("matchType", `one of ${MATCH_TYPES.join(", ")}`);
  return known;
}

function withoutWildcard(url: string): { readonly url: string; readonly matchType: MatchType } {
  if (url.startsWith("*.")) return { url: url.slice(2), matchType: "domain" };
  if (url.endsWith("*")) return { url: url.slice(0, -1), matchType: "prefix" };
  return { url, matchType: "exact" };
}

/** A key loses a slash or question mark at its end; in a prefix they narrow the range. */
function prefixRange(url: string, key: string): KeyRange {
  const mark = url.at(-1) ?? "";
  const keyFrom = (mark === "/" || mark === "?") && !key.endsWith(mark) ? key + mark : key;
  return { matchType: "prefix", keyFrom, keyTo: afterPrefix(keyFrom) };
}

function hostOf(key: string): string {
  const end = key.indexOf(")/");
  return end === -1 ? key : key.slice(0, end);
}

/** First text, by bytes of UTF-8, that is after all texts with this prefix. */
export function afterPrefix(prefix: string): string {
  const points = Array.from(prefix);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) ?? 0;
    if (point === 0x10ffff) continue;
    // NOTE: surrogates are no characters and have no bytes.
    const next = point >= 0xd7ff && point < 0xe000 ? 0xe000 : point + 1;
    return points.join("") + String.fromCodePoint(next);
  }
  // NOTE: nothing but the last character there is: no key looks so, and none is after it.
  return "\u{10ffff}".repeat(Array.from(prefix).length + 1);
}
