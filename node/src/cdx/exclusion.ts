/** What a collection excludes, as prefixes of sort keys: from URLs, hosts and SURT prefixes as people write them. Pure. */
import { surt } from "./surt.ts";

const SUBDOMAINS = /^(?:https?:\/\/)?\*\.([^/]+)\/?$/i;
/** Reversed host with its commas, port, and from the bracket on the path. */
const SURT = /^(?:[a-z][a-z0-9+.-]*:\/\/\()?([^/:).?]*[^/:).?,]),?(:\d+)?(?:\)(.*))?$/i;

/**
 * Never excludes less than the text says: an ending `/` is dropped, as it is in keys, so `…/private/` excludes
 * `…/privateer` too.
 *
 * @param text - of a form that the contract's `exclusionProblem` takes
 */
export function excludedPrefixes(text: string): readonly string[] {
  const below = SUBDOMAINS.exec(text)?.[1];
  if (below !== undefined) {
    const host = surt(`http://${below}/`).slice(0, -")/".length);
    return [`${host})`, `${host},`];
  }
  const prefix = text.replace(/\*$/, "");
  const reversed = SURT.exec(prefix);
  const [, labels = "", port = "", path] = reversed ?? [];
  if (reversed === null || (path === undefined && !text.includes(","))) return [surt(prefix)];
  if (path !== undefined) return [surt(`http://${labels.split(",").reverse().join(".")}${port}${path}`)];
  // A beginning of hosts. Keys leave `www` out, so it would match none of them.
  const beginning = prefix.replace(/^.*\(/, "").toLowerCase();
  return [beginning.replace(/,www\d*,?$/, "")];
}

const KNOWN = new WeakMap<readonly string[], readonly string[]>();

/** As above for a whole list, made once for each. */
export function allExcludedPrefixes(exclude: readonly string[]): readonly string[] {
  const known = KNOWN.get(exclude);
  if (known !== undefined) return known;
  const prefixes = exclude.flatMap(excludedPrefixes);
  KNOWN.set(exclude, prefixes);
  return prefixes;
}
