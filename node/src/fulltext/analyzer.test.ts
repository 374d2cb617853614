import { expect, test } from "vitest";
import { analyse, queryForms, termOf } from "./analyzer.ts";
import { STEMMERS } from "./stemmers.ts";

/** Two forms of one word in every language with a stemmer. */
const FORMS: Readonly<Record<string, readonly [string, string]>> = {
  ar: ["كتابها", "كتاب"],
  da: ["huse", "huset"],
  de: ["häuser", "häusern"],
  el: ["θάλασσα", "θάλασσες"],
  en: ["mountain", "mountains"],
  es: ["gatos", "gato"],
  fi: ["talossa", "talo"],
  fr: ["montagnes", "montagne"],
  hu: ["házban", "ház"],
  it: ["gatti", "gatto"],
  nl: ["boeken", "boek"],
  no: ["husene", "huset"],
  pt: ["meninos", "menino"],
  ro: ["fete", "fetele"],
  ru: ["книги", "книга"],
  sv: ["flickor", "flickorna"],
  tr: ["kitaplar", "kitap"],
};

test("every stemmer has a known answer", () => {
  expect(Object.keys(FORMS).toSorted()).toEqual([...STEMMERS.keys()].toSorted());
});

test.each(Object.entries(FORMS))("%s: two forms of a word are one term", (language, [one, other]) => {
  expect(termOf(one, language)).toBe(termOf(other, language));
});

test("numbers, short words and unknown languages stay whole", () => {
  expect(termOf("2014s", "en")).toBe("2014s");
  expect(termOf("is", "en")).toBe("is");
  expect(termOf("mountains", undefined)).toBe("mountains");
  expect(termOf("mountains", "xx")).toBe("mountains");
});

test("no word vanishes", () => {
  for (const language of STEMMERS.keys()) {
    for (const word of ["lys", "ing", "sses", "ова", "ler", "ات"]) expect(termOf(word, language)).not.toBe("");
  }
});

test("a query is tried in every language of the index, equal forms once", () => {
  expect(queryForms("mountains", ["en", "ja"])).toEqual([["mountain"], ["mountains"]]);
  expect(queryForms("2014", ["en", "de", "fr"])).toEqual([["2014"]]);
  expect(queryForms("!?", ["en"])).toEqual([]);
});

test("pairs of characters are not stemmed", () => {
  expect(analyse("東京タワー", "en")).toEqual(
    ["東京", "京タ", "タワ", "ワー"].map((pair) => pair.normalize("NFKD").normalize("NFC")),
  );
});
