/**
 * `filter=` of pywb's CDX server: `field:text` contains, `=field:text` is, `~field:regex` starts with; `!` before any of them
 * turns it round. Without a colon the whole index line is looked at.
 *
 * Expressions come from strangers, so they run on RE2's algorithm, whose time is linear in the text. It knows no
 * look-around and no back references.
 */
import { RE2JS } from "re2js";
import { badQuery } from "./errors.ts";
import { fieldName, fieldValue, indexLine, type PywbRow } from "./pywb-row.ts";

/** Every row is tried against each. */
const MAX_FILTERS = 32;
/** A program takes time in proportion to its size for every character. */
const MAX_FILTER_CHARS = 512;

export interface RowFilters {
  keeps(row: PywbRow): boolean;
  /** Characters that expressions were run over so far: what costs time, for whoever must share the thread. */
  readonly worked: number;
}

interface Test {
  readonly field: string;
  readonly invert: boolean;
  readonly matches: (value: string) => boolean;
}

/** @throws {CdxError} `BAD_QUERY` */
export function createFilters(texts: readonly string[]): RowFilters {
  if (texts.length > MAX_FILTERS) throw badQuery("filter", `at most ${MAX_FILTERS} of them`);
  const progress = { characters: 0 };
  const tests = texts.map((text) => parse(text, progress));
  return {
    keeps: (row) => tests.every((test) => test.matches(testedValue(row, test.field)) !== test.invert),
    get worked() {
      return progress.characters;
    },
  };
}

function testedValue(row: PywbRow, field: string): string {
  return field === "" ? indexLine(row) : (fieldValue(row, field) ?? "");
}

function parse(text: string, progress: { characters: number }): Test {
  if (text.length > MAX_FILTER_CHARS) throw badQuery("filter", `at most ${MAX_FILTER_CHARS} characters`);
  const invert = text.startsWith("!");
  const rest = invert ? text.slice(1) : text;
  const kind = rest.startsWith("=") ? "exact" : rest.startsWith("~") ? "regex" : "contains";
  const body = kind === "contains" ? rest : rest.slice(1);
  const colon = body.indexOf(":");
  const field = colon === -1 ? "" : fieldName(body.slice(0, colon));
  return { field, invert, matches: matcher(kind, body.slice(colon + 1), progress) };
}

function matcher(
  kind: "exact" | "regex" | "contains",
  wanted: string,
  progress: { characters: number },
): (value: string) => boolean {
  if (kind === "exact") return (value) => value === wanted;
  if (kind === "contains") return (value) => value.includes(wanted);
  const expression = compile(wanted);
  return (value) => {
    progress.characters += value.length;
    return expression.matcher(value).lookingAt();
  };
}

function compile(text: string): RE2JS {
  try {
    return RE2JS.compile(text);
  } catch (cause) {
    throw badQuery("filter", "not an expression of RE2 syntax (it has no look-around or back references)", { cause });
  }
}
