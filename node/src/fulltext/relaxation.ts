/**
 * How much of a question must match. Few pages with all of its words are followed by pages with fewer. The levels mean the
 * same in every index: a word that an index does not hold only leaves that index without matches of the strictest one. Pure.
 */
import type { Level } from "./question.ts";
import type { ResolvedQuestion } from "./resolve.ts";

/** With fewer matches, a looser level is tried. */
export const ENOUGH_MATCHES = 10;
/** Plain words of the shortest and the longest question of which "all but one" is tried before "any". */
const ALL_BUT_ONE = { least: 3, most: 8 } as const;

/** Levels of a question, strictest first. */
export function levelsOf({ groups }: ResolvedQuestion): readonly Level[] {
  const plain = groups.filter(({ relaxable }) => relaxable).length;
  if (plain < 2) return [0];
  return plain >= ALL_BUT_ONE.least && plain <= ALL_BUT_ONE.most ? [0, 1, 2] : [0, 2];
}

/** The engine's expressions that must all match; `undefined` = nothing in this index can. */
export function expressionsAt({ groups }: ResolvedQuestion, level: Level): readonly string[] | undefined {
  const fixed = groups.filter((group) => level === 0 || !group.relaxable);
  const required = fixed.flatMap(({ expression }) => expression ?? []);
  if (required.length < fixed.length) return undefined;
  if (level === 0) return required;
  const plain = groups.filter(({ relaxable }) => relaxable);
  const known = plain.flatMap(({ expression }) => expression ?? []);
  if (level === 1 && known.length === plain.length - 1) return [...required, ...known];
  if (known.length === 0 || (level === 1 && known.length < plain.length)) return undefined;
  const parts =
    level === 2 ? known : known.map((_, left) => `(${known.filter((_part, index) => index !== left).join(" AND ")})`);
  return [...required, `(${parts.join(" OR ")})`];
}
