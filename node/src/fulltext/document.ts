/** A capture made ready for the index: extracted, analysed, weighed. All the slow work before the transaction. Pure but for the clock. */
import { analyse } from "./analyzer.ts";
import { facetTerms } from "./facet-terms.ts";
import { impacts } from "./impact.ts";
import { detectLanguage } from "./language.ts";
import { simhash } from "./simhash.ts";
import type { SourceCapture } from "./source.ts";
import type { PageText } from "./text-extractor.ts";
import { hostOf, urlDepth, urlWords } from "./url-words.ts";

export interface IndexDocument {
  readonly url: string;
  readonly host: string;
  readonly mime: string;
  readonly language: string | undefined;
  readonly title: string;
  readonly body: string;
  readonly depth: number;
  readonly terms: {
    readonly title: readonly string[];
    readonly headings: readonly string[];
    readonly body: readonly string[];
    readonly url: readonly string[];
    readonly facets: readonly string[];
  };
  readonly impacts: ReadonlyMap<string, number>;
  readonly simhash: readonly [number, number];
}

/** Everything the index stores about one text of a page. */
export function makeDocument(capture: SourceCapture, collection: string, text: PageText): IndexDocument {
  const language = text.body === "" ? undefined : detectLanguage(`${text.title}\n${text.body}`, text.declaredLanguage);
  const fields = {
    title: analyse(text.title, language),
    headings: analyse(text.headings, language),
    body: analyse(text.body, language),
    url: analyse(urlWords(capture.url), language),
  };
  const weights = impacts(fields);
  const host = hostOf(capture.url);
  return {
    url: capture.url,
    host,
    mime: capture.mime,
    language,
    title: text.title,
    body: text.body,
    depth: urlDepth(capture.url),
    terms: { ...fields, facets: facetTerms({ collection, host, mime: capture.mime, language }) },
    impacts: weights,
    simhash: simhash(weights),
  };
}
