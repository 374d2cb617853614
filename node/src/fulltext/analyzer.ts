/**
 * Words to index terms: stemmed by language, then folded. Every engine and every peer with the same `ANALYZER` indexes
 * the same terms, so that their statistics can be added up.
 */
import { STEMMERS } from "./stemmers.ts";
import { foldWord, visitWords } from "./tokens.ts";

/** Name of these rules. Change it whenever a change here, in tokens.ts or in stemmers.ts changes any term. */
export const ANALYZER = "archivestream-1";

/** Distinct words remembered per language; a web corpus repeats most words within this many. */
const MEMO_WORDS = 100_000;
const DIGIT = /\d/;
const memos = new Map<string, Map<string, string>>();

function stemAndFold(word: string, language: string | undefined): string {
  const stem = language === undefined ? undefined : STEMMERS.get(language);
  if (stem === undefined || word.length < 3 || DIGIT.test(word)) return foldWord(word);
  const stemmed = stem(word);
  return foldWord(stemmed === "" ? word : stemmed);
}

/** Index term of a lower-case word. */
export function termOf(word: string, language: string | undefined): string {
  const key = language ?? "";
  const memo = memos.get(key) ?? new Map<string, string>();
  memos.set(key, memo);
  const known = memo.get(word);
  if (known !== undefined) return known;
  if (memo.size >= MEMO_WORDS) memo.clear();
  const term = stemAndFold(word, language);
  memo.set(word, term);
  return term;
}

/** Index terms of a text in order. */
export function analyse(text: string, language: string | undefined): string[] {
  const terms: string[] = [];
  visitWords(text, (word, _start, _end, pair) => {
    const term = pair ? foldWord(word) : termOf(word, language);
    if (term !== "") terms.push(term);
  });
  return terms;
}

/**
 * The different term sequences a query text may have been indexed as: one per language of the index, unstemmed last.
 * A query is too short to tell its language, so every language is tried and equal answers fall together.
 */
export function queryForms(text: string, languages: readonly string[]): readonly (readonly string[])[] {
  const forms = new Map<string, readonly string[]>();
  for (const language of [...languages, undefined]) {
    const terms = analyse(text, language);
    if (terms.length > 0) forms.set(terms.join(" "), terms);
  }
  return [...forms.values()];
}
