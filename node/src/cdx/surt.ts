/**
 * Sort keys of URLs (SURT): `http://www.Example.com/a?b=1` becomes `com,example)/a?b=1`. Pure.
 *
 * Follows what the Internet Archive's tools do by default, because every existing index is keyed so. Written from their
 * outputs (compared in test/interop), known defects included; rules with those repaired have a version of their own.
 */
import { domainToASCII } from "node:url";

/**
 * `ia-1`: as existing indexes. `ia-2`: only `www.` itself is dropped, and only before a name with a dot, because `www2` can
 * be another site and `www1355544.com` is one.
 */
export type SurtRules = "ia-1" | "ia-2";
export const SURT_RULES: SurtRules = "ia-1";

const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ["http", "80"],
  ["https", "443"],
]);
/** Not hierarchical: nothing to turn around. */
const OPAQUE = /^(?:dns|filedesc|warcinfo):/i;
const SCHEME = /^([a-z][a-z0-9+.-]*):(.*)$/is;

/** Never throws: what is no URL comes back lower-case, so that it still has a key. */
export function surt(url: string, rules: SurtRules = SURT_RULES): string {
  const text = url.trim().replace(/[\r\n\t]/g, "");
  if (text === "") return "-";
  if (OPAQUE.test(text)) return text;
  const scheme = SCHEME.exec(text);
  const rest = scheme?.[2] ?? "";
  // NOTE: `host:port/` has the look of a scheme; a scheme we key by host is followed by slashes.
  if (scheme !== null && !rest.startsWith("/") && !/^\d+(?:\/|$)/.test(rest)) return opaque(text, rest);
  if (scheme?.[1]?.toLowerCase() === "file") return `file:${cleanPath(rest.replace(/^\/+/, "/"))}`;
  if (scheme !== null && rest.startsWith("/")) return hierarchical((scheme[1] ?? "").toLowerCase(), rest, rules);
  return hierarchical("http", text, rules);
}

/** `screenshot:http://…` and the like keep their prefix; the rest is cleaned as a path and query. */
function opaque(text: string, rest: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(rest)) return text.toLowerCase();
  const { path, query } = split(rest);
  const cleaned = cleanQuery(query);
  const prefix = text.slice(0, text.length - rest.length).toLowerCase();
  return `${prefix}${path.toLowerCase().replace(/\/$/, "")}${cleaned === "" ? "" : `?${cleaned}`}`;
}

function split(rest: string): { readonly path: string; readonly query: string } {
  const bare = rest.replace(/#.*$/s, "");
  const mark = bare.indexOf("?");
  return mark === -1 ? { path: bare, query: "" } : { path: bare.slice(0, mark), query: bare.slice(mark + 1) };
}

function hierarchical(scheme: string, rest: string, rules: SurtRules): string {
  const { path, query } = split(rest.replace(/^\/+/, ""));
  const slash = path.indexOf("/");
  const authority = slash === -1 ? path : path.slice(0, slash);
  const host = authority.replace(/^.*@/s, "");
  const port = /:(\d*)$/.exec(host)?.[1] ?? "";
  const name = cleanHost(host.replace(/:\d*$/, ""), rules);
  const shownPort = port === "" || DEFAULT_PORTS.get(scheme) === port ? "" : `:${port}`;
  const cleaned = cleanQuery(query);
  const key = `${turned(name)}${shownPort})${cleanPath(slash === -1 ? "/" : path.slice(slash))}`;
  return cleaned === "" ? key : `${key}?${cleaned}`;
}

function turned(host: string): string {
  return host.startsWith("[") ? host.slice(1, -1) : host.split(".").reverse().join(",");
}

function cleanHost(host: string, rules: SurtRules): string {
  const unescaped = Buffer.from(unescapeAll(host), "latin1").toString("utf8").toLowerCase();
  const dots = unescaped.replace(/\.{2,}/g, ".").replace(/^\.|\.$/g, "");
  const number = /^\d{8,10}$/.test(dots) ? Number(dots) : Number.NaN;
  if (number < 2 ** 32) return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
  // NOTE: only for names beyond ASCII; it would also rewrite `0x7f.1` as an address, which existing keys do not.
  const ascii = /[^\0-\x7f]/.test(dots) ? domainToASCII(dots) || escapeBytes(unescapeAll(host)).toLowerCase() : dots;
  if (rules === "ia-1") return ascii.replace(/^www\d*\./, "");
  return /^www\.[^.]+\./.test(ascii) ? ascii.slice(4) : ascii;
}

function cleanPath(path: string): string {
  const clean = escapeBytes(removeDots(unescapeAll(path))).toLowerCase();
  const bare = clean
    .replace(/^(.*\/)(?:\((?:[a-z]\([0-9a-z]{24}\))+\)|\([0-9a-z]{24}\))\/([^?]+\.aspx.*)$/, "$1$2")
    .replace(/^(.*);jsessionid=[0-9a-z]{32}$/, "$1");
  return bare.length > 1 ? bare.replace(/\/$/, "") : bare;
}

/** Dot segments and doubled slashes; a `..` with nothing left to go back to stays. */
function removeDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const segment of segments) {
    if (segment === "" || segment === ".") continue;
    if (segment === ".." && kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else kept.push(segment);
  }
  const last = segments.at(-1);
  const open = last === "" || last === "." || last === "..";
  return `/${kept.join("/")}${open && kept.length > 0 && kept.at(-1) !== ".." ? "/" : ""}`;
}

const SESSION_ARGS: readonly RegExp[] = [
  /^(.*?)(?:(?:^|(?<=&))jsessionid=[0-9a-z]{32})(?:&(.*))?$/s,
  /^(.*?)(?:(?:^|(?<=&))phpsessid=[0-9a-z]{32})(?:&(.*))?$/s,
  /^(.*?)(?:(?:^|(?<=&))sid=[0-9a-z]{32})(?:&(.*))?$/s,
  /^(.*?)(?:(?:^|(?<=&))aspsessionid[a-z]{8}=[a-z]{24})(?:&(.*))?$/s,
  /^(.*?)(?:(?:^|(?<=&))cfid=[^&]+&cftoken=[^&]+)(?:&(.*))?$/s,
];

function cleanQuery(query: string): string {
  let clean = escapeBytes(unescapeAll(query)).toLowerCase();
  for (const pattern of SESSION_ARGS) {
    const match = pattern.exec(clean);
    if (match === null) continue;
    const before = match[1] ?? "";
    clean = match[2] === undefined ? before.replace(/&$/, "") : `${before}${match[2]}`;
  }
  return clean.split("&").sort(byNameThenValue).join("&");
}

/** Bytewise by name, then value; an argument without `=` before the same one with it. */
function byNameThenValue(a: string, b: string): number {
  const [nameA, valueA] = argument(a);
  const [nameB, valueB] = argument(b);
  if (nameA !== nameB) return nameA < nameB ? -1 : 1;
  return valueA === valueB ? 0 : valueA < valueB ? -1 : 1;
}

function argument(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  return equals === -1 ? [text, ""] : [text.slice(0, equals), text.slice(equals)];
}

/** Bytes of the text as UTF-8, one character each, with `%XX` taken away until none is left. */
function unescapeAll(text: string): string {
  let bytes = Buffer.from(text, "utf8").toString("latin1");
  while (/%[0-9a-f]{2}/i.test(bytes)) {
    bytes = bytes.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return bytes;
}

/** Escapes what may not stand in a key: controls, space, beyond ASCII, `#` and `%`. */
function escapeBytes(bytes: string): string {
  return bytes.replace(/[\0-\x20\x7f-\xff#%]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
