/**
 * Pages whose words follow Zipf's law, as those of human texts do: the word of rank r has a probability proportional to
 * 1 / r. Page n is the same on every machine, and any page can be made without making the others. Also an index source,
 * so that the indexer's worker makes the pages itself.
 */
import type { IndexSource, SourceBlob, SourceCapture } from "../../node/src/fulltext/source.ts";

export const VOCABULARY = 200_000;
const HOSTS = 500;
const PAGES_PER_BLOB = 1_000;
/** Body lengths, words: evenly between. */
const SHORTEST = 60;
const LONGEST = 440;
const TITLE_WORDS = 5;
const LANGUAGES = ["en", "de", "fr", "es"] as const;

const ONSETS = "b c d f g h j k l m n p r s t v w z st tr pl br".split(" ");
const VOWELS = "a e i o u".split(" ");

/** A pronounceable word, different for every rank. */
export function wordOf(rank: number): string {
  let word = "";
  let rest = rank;
  do {
    word += ONSETS[rest % ONSETS.length] ?? "";
    rest = Math.floor(rest / ONSETS.length);
    word += VOWELS[rest % VOWELS.length] ?? "";
    rest = Math.floor(rest / VOWELS.length);
  } while (rest > 0);
  return word;
}

/** Words of these ranks stand in 2 % to 80 % of the pages: what people type together. */
const USUAL_RANKS = [20, 2_000] as const;

export function usualWords(random: () => number, count: number): string {
  const [from, to] = USUAL_RANKS;
  return Array.from({ length: count }, () => wordOf(from + Math.floor(random() * (to - from)))).join(" ");
}

/** Numbers between 0 and 1, the same for the same seed (mulberry32, public domain). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Rank with probability proportional to 1 / rank: the inverse of the logarithm that approximates the harmonic sum. */
function zipfRank(random: () => number): number {
  return Math.min(VOCABULARY, Math.floor(Math.exp(random() * Math.log(VOCABULARY + 1))));
}

export interface SyntheticPage {
  readonly url: string;
  readonly urlkey: string;
  readonly timestamp: string;
  readonly language: string;
  readonly title: string;
  readonly body: string;
}

/** Page number n, from 0. */
export function makePage(n: number): SyntheticPage {
  const random = randomNumbers(n + 1);
  const words = (count: number): string => Array.from({ length: count }, () => wordOf(zipfRank(random))).join(" ");
  const host = `site${Math.floor(random() * HOSTS)}`;
  const path = `${words(2).replace(" ", "/")}/${n}`;
  const month = 1 + Math.floor(random() * 12);
  return {
    url: `https://${host}.example.org/${path}`,
    urlkey: `org,example,${host})/${path}`,
    timestamp: `${2005 + Math.floor(random() * 20)}${String(month).padStart(2, "0")}01000000`,
    language: LANGUAGES[n % LANGUAGES.length] ?? "en",
    title: words(TITLE_WORDS),
    body: words(SHORTEST + Math.floor(random() * (LONGEST - SHORTEST))),
  };
}

export function htmlOf({ language, title, body }: SyntheticPage): string {
  return `<!doctype html><html lang="${language}"><title>${title}</title><p>${body}</p></html>`;
}

function toCapture(n: number): SourceCapture {
  const page = makePage(n);
  return {
    url: page.url,
    urlkey: page.urlkey,
    timestamp: page.timestamp,
    mime: "text/html",
    digest: String(n),
    revisit: false,
    payload: async () => ({ contentType: "text/html; charset=utf-8", body: Buffer.from(htmlOf(page), "utf8") }),
  };
}

/** Found by the indexer's worker. */
export function openIndexSource(options: unknown): IndexSource {
  const { pages } = options as { readonly pages: number };
  const last = Math.ceil(pages / PAGES_PER_BLOB);
  const blob = (sequence: number): SourceBlob => ({
    sequence,
    hash: sequence.toString(16).padStart(64, "0"),
    collection: "web",
  });
  return {
    blobsAfter: async (sequence, limit) =>
      Array.from({ length: Math.max(0, Math.min(limit, last - sequence)) }, (_, index) => blob(sequence + index + 1)),
    captures: async function* ({ sequence }) {
      const first = (sequence - 1) * PAGES_PER_BLOB;
      for (let n = first; n < Math.min(pages, first + PAGES_PER_BLOB); n += 1) yield toCapture(n);
    },
    withdrawnAfter: async () => [],
    close: async () => {},
  };
}
