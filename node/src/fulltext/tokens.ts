/**
 * Text to words, the same on every node: words of letters and digits, lower case; scripts written without spaces
 * become overlapping pairs of characters. Pairs instead of a dictionary, because dictionaries differ between
 * runtimes and two archives must count the same terms.
 */

/** Called for each word in order; offsets count UTF-16 units of the text. */
export type WordVisitor = (word: string, start: number, end: number, pair: boolean) => void;

/** Longer runs are encodings, keys or binary, not words. */
const MAX_WORD_CHARS = 64;

const PAIRED =
  "\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Hangul}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}ー";
const WORD = new RegExp(`[${PAIRED}]+|[[\\p{L}\\p{N}\\p{M}]--[${PAIRED}]]+`, "gv");
const IS_PAIRED = new RegExp(`^[${PAIRED}]`, "v");
const ASCII = /^\p{ASCII}*$/u;

function visitPairs(run: string, start: number, visit: WordVisitor): void {
  const characters = Array.from(run);
  const [only] = characters;
  if (characters.length === 1 && only !== undefined) visit(only, start, start + only.length, true);
  let at = start;
  for (let index = 0; index + 1 < characters.length; index += 1) {
    const pair = `${characters[index]}${characters[index + 1]}`;
    visit(pair, at, at + pair.length, true);
    at += characters[index]?.length ?? 0;
  }
}

/** Visits the words of a text in order. */
export function visitWords(text: string, visit: WordVisitor): void {
  WORD.lastIndex = 0;
  const ascii = ASCII.test(text);
  for (let match = WORD.exec(text); match !== null; match = WORD.exec(text)) {
    const found = match[0];
    const start = match.index;
    // The visitor may use this expression too: remember the place.
    const next = WORD.lastIndex;
    if (!ascii && IS_PAIRED.test(found)) visitPairs(found, start, visit);
    else if (found.length <= MAX_WORD_CHARS) visit(found.toLowerCase(), start, start + found.length, false);
    WORD.lastIndex = next;
  }
}

/** Letters that keep no base letter under canonical decomposition but that people type without their stroke. */
const STROKES: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
};
const STROKED = /[ßæœøłđðþı]/g;
/** Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowel marks. Marks of Indic scripts are vowels: they stay. */
const ACCENTS = /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u0652\u0670\u0640]/g;

/** A word without accents, in compatibility form. */
export function foldWord(word: string): string {
  if (ASCII.test(word)) return word;
  return word
    .normalize("NFKD")
    .replace(ACCENTS, "")
    .toLowerCase()
    .replace(STROKED, (letter) => STROKES[letter] ?? letter)
    .normalize("NFC");
}
