/**
 * Text to words, the same on every node: words of letters and digits, lower case; scripts written without spaces
 * become overlapping pairs of characters. Pairs instead of a dictionary, because dictionaries differ between
 * runtimes and two archives must count the same terms.
 */

/** Called for each word in order; offsets count UTF-16 units of the text. */
export type WordVisitor = (word: string, start: number, end: number, pair: boolean) => void;

/** Soft hyphen, zero-width space and joiner, word joiner, byte order mark: nobody sees them, so they end no word. */
const INVISIBLE = /\u00ad|\u200b|\u200d|\u2060|\ufeff/g;

/** For texts before they are kept and questions before they are read, so that offsets count what is kept. */
export function withoutInvisible(text: string): string {
  return ASCII.test(text) ? text : text.replace(INVISIBLE, "");
}

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

/** 1 for the characters of words, by their code. */
const ASCII_WORD = Uint8Array.from({ length: 128 }, (_none, code) =>
  /[0-9a-z]/i.test(String.fromCharCode(code)) ? 1 : 0,
);

/** What the expression does, for text without any other character: three times as fast. */
function visitAsciiWords(text: string, visit: WordVisitor): void {
  const lower = text.toLowerCase();
  let start = -1;
  for (let at = 0; at <= lower.length; at += 1) {
    // Behind the end there is no code, and so no word.
    if (ASCII_WORD[lower.charCodeAt(at)] === 1) {
      if (start === -1) start = at;
    } else if (start !== -1) {
      if (at - start <= MAX_WORD_CHARS) visit(lower.slice(start, at), start, at, false);
      start = -1;
    }
  }
}

/** Visits the words of a text in order. */
export function visitWords(text: string, visit: WordVisitor): void {
  if (ASCII.test(text)) {
    visitAsciiWords(text, visit);
    return;
  }
  WORD.lastIndex = 0;
  for (let match = WORD.exec(text); match !== null; match = WORD.exec(text)) {
    const found = match[0];
    const start = match.index;
    // The visitor may use this expression too: remember the place.
    const next = WORD.lastIndex;
    if (IS_PAIRED.test(found)) visitPairs(found, start, visit);
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
