/** What people type to search: no text is an error of the parser, and none reaches the engine's own syntax. */
import { DatabaseSync } from "node:sqlite";
import { matchExpression, resolveQuestion, type TermLookup } from "../../../node/src/fulltext/resolve.ts";
import { SearchError } from "../../../node/src/search/errors.ts";
import { parseQuery } from "../../../node/src/search/query-parser.ts";
import { type FuzzTarget, plainSeeds, unlessRefused } from "../target.ts";

const SEEDS = [
  'running "exact phrase" -not host:example.com OR pref* title:word type:text/html lang:de year:2010-2014',
  'site:"example.com" -title:"a b" year:2014..2016 OR OR "unclosed',
  "日本語 ไทย ça naïve Straße ﬁ \u0301 १२३",
  'title:) OR NEAR("a b", 3) AND {title body}: ^x * NOT -- \\ \u0000',
];

/** Knows every word, so that every part of a question reaches the engine. Beginnings become words of the index alone. */
const lookup: TermLookup = {
  find: (term) => ({ id: 1, term, df: 1 }),
  expand: () => [{ id: 2, term: "prefixed", df: 1 }],
  languages: ["en", "de", "fr", "ru"],
};
const database = new DatabaseSync(":memory:");
database.exec(`CREATE VIRTUAL TABLE words USING fts5(title, headings, body, url, facets, content='', columnsize=0,
  tokenize="unicode61 remove_diacritics 0 categories 'L* N* M* Co'")`);
const match = database.prepare("SELECT count(*) FROM words WHERE words MATCH ?");

export const query: FuzzTarget = {
  watched: /\/node\/src\/(?:search|fulltext)\//,
  seeds: () => plainSeeds(SEEDS),
  words: [
    '"',
    "-",
    "*",
    "OR",
    " OR ",
    "host:",
    "site:",
    "title:",
    "type:",
    "lang:",
    "year:",
    "2014-",
    "日本",
    "\u0000",
    "'",
    ")",
    "\u0345",
  ],
  maxCpuMs: 500,
  exercise: (bytes) => {
    const parsed = unlessRefused(SearchError, () => parseQuery(Buffer.from(bytes).toString("utf8")));
    if (parsed === undefined) return;
    const scopes = [{ name: "default", cutoff: undefined, exclude: [] }];
    for (const all of [true, false]) {
      const resolved = resolveQuestion({ ...parsed, from: undefined, to: undefined, scopes }, lookup, all);
      const wanted = resolved.groups.flatMap(({ expression }) => expression ?? []);
      const expression = matchExpression(resolved, wanted);
      if (expression !== undefined) match.get(expression);
    }
  },
};
