/** Finds what the documentation points to and what is not there: paths in ARCHITECTURE.md, links in every page. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Code spans that look like a path below one of our top-level folders. `{a,b}` and `*` are for readers, not for us. */
const PATH_SPAN = /`((?:crds|node|operator|charts|pulumi|test)\/[^`\s{}*]*)`/g;

/** @returns {string[]} every path named in `text` that does not exist below `root` */
export function missingMapPaths(text, root) {
  const paths = new Set([...text.matchAll(PATH_SPAN)].map((match) => match[1]));
  if (paths.size === 0) return ["(no path at all)"];
  return [...paths].filter((path) => !existsSync(join(root, path)));
}

/** Targets of Markdown links, without those to the web and within the page. */
const LINK = /\]\((?![a-z]+:|#)([^)\s#]+)[^)]*\)/g;

/** A regular expression in code can look like a link. */
const CODE = /```[\s\S]*?```|`[^`\n]*`/g;

/** @returns {string[]} every link of the page at `path` (below `root`) whose file does not exist */
export function missingLinks(text, path, root) {
  const targets = [...text.replace(CODE, "").matchAll(LINK)].map((match) => join(dirname(path), match[1]));
  return targets.filter((target) => !existsSync(join(root, target))).map((target) => `${path} -> ${target}`);
}
