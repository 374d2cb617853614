/**
 * Filters as index terms: collection, host (with its parents), media type and language of a page, so that the engine
 * intersects them like words. They begin with a private-use character that no analysed word contains.
 */
import { RecentMap } from "./recent-map.ts";

const MARK = "\u{e000}";

/** Letters and digits only, whatever the value holds: the engine would split at anything else. */
const plain = (value: string): string => Buffer.from(value.toLowerCase(), "utf8").toString("hex");

/** Values come again from page to page. */
const REMEMBERED = 20_000;
const remembered = new RecentMap<string>(REMEMBERED);

function facet(kind: string, value: string): string {
  const key = kind + value;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const term = `${MARK}${kind}${plain(value)}`;
  remembered.set(key, term);
  return term;
}

export const collectionTerm = (collection: string): string => facet("c", collection);
export const hostTerm = (host: string): string => facet("h", host.replace(/^\*?\./, ""));
export const typeTerm = (type: string): string => facet("t", type);
export const languageTerm = (language: string): string => facet("l", language);

/** A host and all its parents: `host:example.org` also finds `www.example.org`. */
function hostTerms(host: string): string[] {
  const labels = host.split(".");
  return labels.map((_label, index) => hostTerm(labels.slice(index).join(".")));
}

/** `application/pdf` is found by `pdf`, `application` and its full name; XHTML also by `html`. */
function typeTerms(mime: string): string[] {
  const [family = "", subtype = ""] = mime.split("/");
  const names = [mime, family, subtype.replace(/^x-/, "")];
  if (subtype === "xhtml+xml") names.push("html");
  return names.filter((name) => name !== "").map(typeTerm);
}

export interface FacetValues {
  readonly collection: string;
  readonly host: string;
  readonly mime: string;
  readonly language: string | undefined;
}

export function facetTerms(values: FacetValues): string[] {
  return [
    collectionTerm(values.collection),
    ...(values.host === "" ? [] : hostTerms(values.host)),
    ...typeTerms(values.mime),
    ...(values.language === undefined ? [] : [languageTerm(values.language)]),
  ];
}
