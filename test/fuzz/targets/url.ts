/** URLs of captures and look-ups: sort keys, key ranges, hosts and words. */
import { CdxError } from "../../../node/src/cdx/errors.ts";
import { keyRange, MATCH_TYPES } from "../../../node/src/cdx/pywb-range.ts";
import { surt } from "../../../node/src/cdx/surt.ts";
import { earliestMoment } from "../../../node/src/cdx/timestamp.ts";
import { hostOf, urlDepth, urlWords } from "../../../node/src/fulltext/url-words.ts";
import { type FuzzTarget, mustHold, plainSeeds, unlessRefused } from "../target.ts";

const SESSION = "0123456789abcdef0123456789abcdef";
/** The third and the fourth took time in proportion to their square: a `%` hid in every `25`, a session in every segment. */
const SEEDS = [
  `http://www2.Example.com:80/a/../b//c;jsessionid=${SESSION}?b=2&a=1&sid=${SESSION}#f`,
  "https://user:pw@bücher.example:8443/(S(abcdefghijklmnopqrstuvwx))/x.aspx?cfid=1&cftoken=2",
  `http://example.com/%${"25".repeat(8_000)}41`,
  `http://example.com/.aspx${"/(abcdefghijklmnopqrstuvwx)".repeat(2_000)}`,
  "screenshot:http://example.com/A b?c d",
  "urn:uuid:A b",
  "dns:www.example.com",
  "http://[2001:db8::1]/",
  "http://3232235777/?&=&&a",
  "file:///a/./b",
  "*.example.com",
  "example.com/a*",
  "20261124",
];

export const url: FuzzTarget = {
  watched: /\/node\/src\/(?:cdx|fulltext)\//,
  seeds: () => plainSeeds(SEEDS),
  words: [
    "http://",
    "www.",
    "//",
    "/../",
    "?",
    "&",
    "=",
    "#",
    "@",
    ":",
    "%25",
    "%C3%BC",
    "ü",
    " ",
    "(",
    ")",
    ".aspx",
    "[",
    "]",
    "*",
  ],
  maxCpuMs: 250,
  exercise: (bytes) => {
    const text = Buffer.from(bytes).toString("utf8");
    for (const rules of ["ia-1", "ia-2"] as const) {
      mustHold(/^[!-~]+$/.test(surt(text, rules)), "a key with a space, a control or beyond ASCII");
    }
    for (const matchType of [undefined, ...MATCH_TYPES]) {
      const range = unlessRefused(CdxError, () => keyRange(text, matchType));
      if (range?.keyTo !== undefined) mustHold(range.keyFrom < range.keyTo, "a range that ends before it starts");
    }
    mustHold(!/[/?#\s]/.test(hostOf(text).normalize()) || /\s/.test(text), "a host with a path in it");
    mustHold(urlDepth(text) >= 0 && urlWords(text).length <= 2_000, "words beyond the cap");
    const digits = text.replace(/\D/g, "").slice(0, 14);
    mustHold(/^\d{14}$/.test(earliestMoment(digits)), "a moment that is not 14 digits");
  },
};
