/**
 * Words to index terms: stemmed by language, then folded. Every engine and every peer with the same `ANALYZER` indexes
 * the same terms, so that their statistics can be added up.
 */
import { ownCopy, RecentMap } from "./recent-map.ts";
import { STEMMERS } from "./stemmers.ts";
import { foldWord, visitWords, withoutInvisible } from "./tokens.ts";

/** Name of these rules. Change it whenever a change here, in tokens.ts or in stemmers.ts changes any term. */
export const ANALYZER = "archivestream-1";

/** Distinct words remembered per language, about 150 bytes each: stemming a word takes ten times as long as finding it here. */
const MEMO_WORDS = 120_000;
/** Languages whose words are remembered; an archive of the world has all of them, most pages of a time have few. */
const MEMO_LANGUAGES = 4;
const DIGIT = /\d/;
const memos = new Map<string, RecentMap<string>>();

function stemAndFold(word: string, language: string | undefined): string {
  const stem = language === undefined ? undefined : STEMMERS.get(language);
  if (stem === undefined || word.length < 3 || DIGIT.test(word)) return foldWord(word);
  const stemmed = stem(word);
  return foldWord(stemmed === "" ? word : stemmed);
}

/** Languages without a stemmer share one memory: their words fold alike. The language met longest ago makes room. */
function memoOf(language: string | undefined): RecentMap<string> {
  const key = language !== undefined && STEMMERS.has(language) ? language : "";
  const known = memos.get(key);
  if (known !== undefined) return known;
  for (const first of memos.keys()) {
    if (memos.size < MEMO_LANGUAGES) break;
    memos.delete(first);
  }
  const memo = new RecentMap<string>(MEMO_WORDS);
  memos.set(key, memo);
  return memo;
}

/** Index term of a lower-case word. */
export function termOf(word: string, language: string | undefined): string {
  const memo = memoOf(language);
  const known = memo.get(word);
  if (known !== undefined) return known;
  const term = ownCopy(stemAndFold(word, language));
  memo.set(ownCopy(word), term);
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
    const terms = analyse(withoutInvisible(text), language);
    if (terms.length > 0) forms.set(terms.join(" "), terms);
  }
  return [...forms.values()];
}
