/** Finds the paths that ARCHITECTURE.md promises and that are not there. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Code spans that look like a path below one of our top-level folders. `{a,b}` and `*` are for readers, not for us. */
const PATH_SPAN = /`((?:crds|node|operator|charts|pulumi|test)\/[^`\s{}*]*)`/g;

/** @returns {string[]} every path named in `text` that does not exist below `root` */
export function missingMapPaths(text, root) {
  const paths = new Set([...text.matchAll(PATH_SPAN)].map((match) => match[1]));
  if (paths.size === 0) return ["(no path at all)"];
  return [...paths].filter((path) => !existsSync(join(root, path)));
}
