/** A user's query, its bounds and the rules of the asked collections as a question to a full-text index. */
import { earliestMoment, latestMoment } from "../cdx/timestamp.ts";
import type { CollectionScope, FacetFilter, Question } from "../fulltext/question.ts";
import { badQuery } from "./errors.ts";
import type { ParsedQuery } from "./query-parser.ts";

/** A bound as digits, put into the first or last second it can mean. */
function bound(text: string | undefined, moment: (digits: string) => string, name: string): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^\d{4,14}$/.test(text)) throw badQuery(`${name}: write a year or 4 to 14 digits, such as 2014 or 20140131`);
  return Number(moment(text));
}

function latest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

export interface QuestionBounds {
  /** Inclusive, 4 to 14 digits. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Beside those that the query names. */
  readonly filters?: readonly FacetFilter[];
}

/** @throws {SearchError} `BAD_QUERY` names the bound */
export function makeQuestion(
  query: ParsedQuery,
  request: QuestionBounds,
  scopes: readonly CollectionScope[],
): Question {
  const { years } = query;
  return {
    groups: query.groups,
    excluded: query.excluded,
    filters: [...query.filters, ...(request.filters ?? [])],
    excludedFilters: query.excludedFilters,
    from: latest(
      bound(request.from, earliestMoment, "from"),
      bound(years?.from.toString().padStart(4, "0"), earliestMoment, "year"),
    ),
    to: earliest(
      bound(request.to, latestMoment, "to"),
      bound(years?.to.toString().padStart(4, "0"), latestMoment, "year"),
    ),
    scopes,
  };
}
