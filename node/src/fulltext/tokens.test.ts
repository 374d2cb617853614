import fc from "fast-check";
import { expect, test } from "vitest";
import { foldWord, visitWords } from "./tokens.ts";

function wordsOf(text: string): string[] {
  const words: string[] = [];
  visitWords(text, (word) => void words.push(word));
  return words;
}

test.each([
  ["The Lake, 2014!", ["the", "lake", "2014"]],
  ["don't e-mail", ["don", "t", "e", "mail"]],
  ["Ärger in Zürich", ["ärger", "in", "zürich"]],
  ["हिन्दी भाषा", ["हिन्दी", "भाषा"]],
  ["", []],
  ["— … !", []],
])("splits %j", (text, words) => {
  expect(wordsOf(text)).toEqual(words);
});

test.each([
  ["Chinese", "東京都庁", ["東京", "京都", "都庁"]],
  ["a single character", "水", ["水"]],
  ["Japanese with a long vowel", "データ", ["デー", "ータ"]],
  ["Korean", "서울시", ["서울", "울시"]],
  ["Thai", "ภาษา", ["ภา", "าษ", "ษา"]],
  ["characters outside the basic plane", "𠮷野家", ["𠮷野", "野家"]],
  ["mixed scripts", "Node東京2020", ["node", "東京", "2020"]],
])("pairs the characters of %s", (_name, text, words) => {
  expect(wordsOf(text)).toEqual(words);
});

test("leaves out runs too long to be words", () => {
  expect(wordsOf(`a ${"x".repeat(65)} b`)).toEqual(["a", "b"]);
  expect(wordsOf("x".repeat(64))).toHaveLength(1);
});

test("offsets point at the word in the text, whatever the text", () => {
  const piece = fc.constantFrom("lake", "東京", "𠮷", "İ", "é", " ", "-", "\u{301}", "ß", "42");
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = pieces.join("");
      let last = 0;
      visitWords(text, (word, start, end, pair) => {
        expect(text.slice(start, end).toLowerCase()).toBe(word);
        expect(start).toBeGreaterThanOrEqual(pair ? 0 : last);
        last = end;
      });
    }),
  );
});

test.each([
  ["zürich", "zurich"],
  ["straße", "strasse"],
  ["łódź", "lodz"],
  ["ﬁn", "fin"],
  ["ｆｕｌｌ", "full"],
  ["αθήνα", "αθηνα"],
  ["مُحَمَّد", "محمد"],
  ["हिन्दी", "हिन्दी"],
])("folds %s to %s", (word, folded) => {
  expect(foldWord(word)).toBe(folded);
});

test("folding again changes nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (word) => {
      expect(foldWord(foldWord(word))).toBe(foldWord(word));
    }),
  );
});
