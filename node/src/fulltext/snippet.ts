/**
 * The part of a page's text that shows best why it matched, as HTML: escaped text with `<mark>` around matches.
 * Archived markup never gets through: every character of the text is escaped here and nowhere else.
 */
import { termOf } from "./analyzer.ts";
import { foldWord, visitWords } from "./tokens.ts";

const SNIPPET_CHARS = 240;
/** Matches are looked for in this much of the text. */
const SEARCHED_CHARS = 60_000;
/** Matches weighed; a page full of the word does not get better with more. */
const MAX_MATCHES = 400;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as HTML text or attribute value. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}

interface Match {
  readonly start: number;
  readonly end: number;
  readonly unit: number;
}

function findMatches(text: string, units: ReadonlyMap<string, number>, language: string | undefined): Match[] {
  const matches: Match[] = [];
  visitWords(text.slice(0, SEARCHED_CHARS), (word, start, end, pair) => {
    if (matches.length >= MAX_MATCHES) return;
    const unit = units.get(pair ? foldWord(word) : termOf(word, language));
    if (unit !== undefined) matches.push({ start, end, unit });
  });
  return matches;
}

/** Start of the window with the most different words, then the most matches; the earliest on a tie. */
function bestStart(matches: readonly Match[]): number {
  let best = 0;
  let bestValue = -1;
  matches.forEach((first, index) => {
    const inside: Match[] = [];
    for (let next = index; next < matches.length; next += 1) {
      const match = matches[next];
      if (match === undefined || match.end - first.start > SNIPPET_CHARS * 0.8) break;
      inside.push(match);
    }
    const value = new Set(inside.map((match) => match.unit)).size * 10 + Math.min(inside.length, 9);
    if (value > bestValue) {
      bestValue = value;
      best = first.start;
    }
  });
  return best;
}

/** Moves a cut to the next space nearby, so that words stay whole; scripts without spaces are cut where they are. */
function wordBoundary(text: string, at: number): number {
  const space = text.slice(at, at + 24).search(/\s/);
  return at === 0 || space < 0 ? at : at + space + 1;
}

function render(text: string, from: number, to: number, matches: readonly Match[]): string {
  let html = "";
  let at = from;
  for (const { start, end } of matches) {
    if (end > to) break;
    if (end <= at) continue;
    const begin = Math.max(start, at);
    html += `${escapeHtml(text.slice(at, begin))}<mark>${escapeHtml(text.slice(begin, end))}</mark>`;
    at = end;
  }
  html += escapeHtml(text.slice(at, to));
  return html.replaceAll("</mark><mark>", "").replace(/\s+/g, " ").trim();
}

/**
 * Snippet of a text.
 *
 * @param units - index terms that count as matches, and which word of the query each stands for
 * @returns HTML in which the only markup is `<mark>`
 */
export function makeSnippet(text: string, units: ReadonlyMap<string, number>, language: string | undefined): string {
  const matches = findMatches(text, units, language);
  const start = matches.length === 0 ? 0 : Math.max(0, bestStart(matches) - SNIPPET_CHARS * 0.15);
  const from = wordBoundary(text, Math.floor(start));
  const to = Math.min(text.length, wordBoundary(text, from + SNIPPET_CHARS));
  const body = render(
    text,
    from,
    to,
    matches.filter((match) => match.start >= from),
  );
  return `${from > 0 ? "… " : ""}${body}${to < text.length ? " …" : ""}`.toWellFormed();
}
