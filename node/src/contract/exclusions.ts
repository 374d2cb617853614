/**
 * Which texts name what is excluded from a collection. What would exclude nothing, or something else than it says, is
 * refused: by the operator before it is written, by the node before it starts.
 */
import type { NodeConfig } from "./config-schema.ts";

const HOST = "[a-z0-9\\u0080-\\uffff_.-]+";
const PORT = "(?::\\d{1,5})?";
/** A `*` may end it, and says what a prefix means anyhow. */
const REST = "(?:[/?][^\\s#*]*)?\\*?";

const FORMS: readonly RegExp[] = [
  // `https://example.org/private`
  new RegExp(`^[a-z][a-z0-9+.-]*://(?:${HOST}|\\[[0-9a-f:.]+\\])${PORT}${REST}$`, "i"),
  // `example.org/private`: a host has a dot, or `private` would be one.
  new RegExp(`^(?=[^/?]*\\.)${HOST}${PORT}${REST}$`, "i"),
  // `*.example.org`: the host and all below it.
  new RegExp(`^(?:https?://)?\\*\\.${HOST}/?$`, "i"),
  // `org,example)/private`, `org,example,` and, with brackets, `http://(org,example,)/private`
  /^(?:[a-z][a-z0-9+.-]*:\/\/\()?(?=[^)/]*[,)])[a-z0-9_-]+(?:,[a-z0-9_-]+)*,?(?::\d{1,5})?(?:\)(?:\/[^\s#*]*\*?)?)?$/i,
  // Records that are no pages.
  /^(?:dns|filedesc|warcinfo|urn|screenshot|thumbnail|text|metadata):[^\s#*]+\*?$/i,
];

/** Why this excludes nothing; `undefined` when it excludes something. */
export function exclusionProblem(text: string): string | undefined {
  if (FORMS.some((form) => form.test(text))) return undefined;
  const shown = JSON.stringify(text.slice(0, 80));
  return `${shown} would exclude nothing: write a URL or its beginning (https://example.org/private), a host (example.org), a host and all below it (*.example.org), or a SURT prefix (org,example)/private)`;
}

/** The first unusable exclusion of a configuration, as a JSON pointer and what is wrong. */
export function exclusionTrouble({
  collections,
}: Pick<NodeConfig, "collections">): { readonly path: string; readonly problem: string } | undefined {
  for (const [index, { exclude }] of collections.entries())
    for (const [position, text] of exclude.entries()) {
      const problem = exclusionProblem(text);
      if (problem !== undefined) return { path: `/collections/${index}/exclude/${position}`, problem };
    }
  return undefined;
}
