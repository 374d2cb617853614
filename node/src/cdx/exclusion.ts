/** What a collection excludes, as prefixes of sort keys: from URLs, hosts and SURT prefixes as people write them. Pure. */
import { surt } from "./surt.ts";

const SUBDOMAINS = /^(?:https?:\/\/)?\*\.([^/]+)\/?$/i;
/** Reversed host with its commas, port, and from the bracket on the path. */
const SURT = /^(?:[a-z][a-z0-9+.-]*:\/\/\()?([^/:).?]*[^/:).?,]),?(:\d+)?(?:\)(.*))?$/i;
const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:(?!\d+(?:[/?]|$))/i;

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
    return [`${host})`, `${host}:`, `${host},`];
  }
  const prefix = text.replace(/\*$/, "");
  const reversed = SURT.exec(prefix);
  const [, labels = "", port = "", path] = reversed ?? [];
  const isHost = path !== undefined || port !== "";
  if (reversed === null || (!isHost && !text.includes(",")))
    return HAS_SCHEME.test(prefix) ? [surt(prefix)] : ofEitherScheme(prefix);
  if (isHost) return ofEitherScheme(`${labels.split(",").reverse().join(".")}${port}${path ?? ""}`);
  return hostsBeginning(prefix.replace(/^.*\(/, "").toLowerCase());
}

/** Keys leave a port out that is the default of the scheme, so 443 stands in those of http only. */
function ofEitherScheme(address: string): readonly string[] {
  return [...new Set([surt(`http://${address}`), surt(`https://${address}`)])];
}

/** Keys leave `www` out where it comes first in a host: such a beginning would miss the site itself. */
function hostsBeginning(beginning: string): readonly string[] {
  const site = /^(.+),www\d*,?$/.exec(beginning)?.[1];
  return site === undefined ? [beginning] : [beginning, `${site})`, `${site}:`];
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
