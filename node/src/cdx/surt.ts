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
const BEYOND_ASCII = /[^\0-\x7f]/;
const SCHEME = /^([a-z][a-z0-9+.-]*):(.*)$/is;

/**
 * Never throws: what is no URL comes back lower-case, so that it still has a key. A key is of printable ASCII without spaces,
 * whatever the URL: index lines are cut at spaces. Takes time in proportion to the URL.
 */
export function surt(url: string, rules: SurtRules = SURT_RULES): string {
  const text = url.trim().replace(/[\r\n\t]/g, "");
  if (text === "") return "-";
  if (OPAQUE.test(text)) return escapeBytes(unescapeAll(text));
  const scheme = SCHEME.exec(text);
  const rest = scheme?.[2] ?? "";
  // NOTE: `host:port/` has the look of a scheme; a scheme we key by host is followed by slashes.
  if (scheme !== null && !rest.startsWith("/") && !/^\d+(?:\/|$)/.test(rest)) return opaque(text);
  if (scheme?.[1]?.toLowerCase() === "file") return `file:${cleanPath(rest.replace(/^\/+/, "/"))}`;
  if (scheme !== null && rest.startsWith("/")) return hierarchical((scheme[1] ?? "").toLowerCase(), rest, rules);
  return hierarchical("http", text, rules);
}

/** `urn:…`, `screenshot:http://…` and the like: the name is escaped and not turned round; a query is cleaned as any. */
function opaque(text: string): string {
  const { path, query } = split(text);
  const cleaned = cleanQuery(query);
  const name = escapeBytes(unescapeAll(path)).toLowerCase().replace(/\/$/, "");
  return cleaned === "" ? name : `${name}?${cleaned}`;
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
  const bytes = unescapeAll(host);
  const unescaped = (BEYOND_ASCII.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes).toLowerCase();
  const dots = unescaped.replace(/\.{2,}/g, ".").replace(/^\.|\.$/g, "");
  const number = /^\d{8,10}$/.test(dots) ? Number(dots) : Number.NaN;
  if (number < 2 ** 32) return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
  // NOTE: only for names beyond ASCII; it would also rewrite `0x7f.1` as an address, which existing keys do not.
  const ascii = /[^\0-\x7f]/.test(dots) ? domainToASCII(dots) || unescapeAll(host) : dots;
  const name = rules === "ia-1" ? ascii.replace(/^www\d*\./i, "") : withoutWww(ascii);
  return escapeBytes(name).toLowerCase();
}

function withoutWww(name: string): string {
  return /^www\.[^.]+\./i.test(name) ? name.slice(4) : name;
}

function cleanPath(path: string): string {
  const plain = unescapeAll(path);
  const clean = escapeBytes(HAS_NO_DOTS.test(plain) ? plain : removeDots(plain)).toLowerCase();
  const bare = SESSION_MARKS.test(clean) ? withoutSession(clean) : clean;
  return bare.length > 1 ? bare.replace(/\/$/, "") : bare;
}

/** Nothing for `removeDots` to do: no segment is empty or starts with a dot. */
const HAS_NO_DOTS = /^(?!.*\/[./])\//s;
/** One of these is in every path that holds a session; few paths have one. */
const SESSION_MARKS = /;jsessionid=|\.aspx/;

function withoutSession(path: string): string {
  return withoutAspSession(path).replace(/^(.*);jsessionid=[0-9a-z]{32}$/, "$1");
}

/** `/(24 characters)` or `/(s(24 characters))` with a path behind it. */
const ASP_SESSION = /\/(?:\((?:[a-z]\([0-9a-z]{24}\))+\)|\([0-9a-z]{24}\))(?=\/)/g;

/** Without the last session segment that leads to an `.aspx` page with no `?` between them. */
function withoutAspSession(path: string): string {
  let [page, mark] = [0, 0];
  let [start, end] = [0, 0];
  for (const { 0: segment, index } of path.matchAll(ASP_SESSION)) {
    const behind = index + segment.length + 1;
    // NOTE: looked for again only once they are passed, or a path of nothing but sessions would be searched for each.
    if (page <= behind) page = indexOr(path.indexOf(".aspx", behind + 1), path.length);
    if (mark < behind) mark = indexOr(path.indexOf("?", behind), path.length);
    if (page < mark) [start, end] = [index, behind - 1];
  }
  return path.slice(0, start) + path.slice(end);
}

function indexOr(index: number, otherwise: number): number {
  return index === -1 ? otherwise : index;
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
  if (query === "") return "";
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

const PERCENT = 0x25;

/**
 * Bytes of the text as UTF-8, one character each, with `%XX` taken away until none is left: `%2541` is `A`. In one pass,
 * because a URL of a megabyte may hide its `%` half a million times.
 */
function unescapeAll(text: string): string {
  const bytes = Buffer.from(text, "utf8");
  let end = 0;
  for (const byte of bytes) {
    bytes[end++] = byte;
    for (let code = escapedAt(bytes, end - 3); code !== undefined; code = escapedAt(bytes, end - 3)) {
      end -= 2;
      bytes[end - 1] = code;
    }
  }
  return bytes.toString("latin1", 0, end);
}

/** What the `%XX` at a place stands for. */
function escapedAt(bytes: Buffer, at: number): number | undefined {
  if (bytes[at] !== PERCENT) return undefined;
  const code = hexValue(bytes[at + 1]) * 16 + hexValue(bytes[at + 2]);
  return Number.isNaN(code) ? undefined : code;
}

function hexValue(byte: number | undefined): number {
  return byte === undefined ? Number.NaN : (HEX_VALUES[byte] ?? Number.NaN);
}

const HEX_VALUES = Array.from({ length: 128 }, (_, code) => Number.parseInt(String.fromCharCode(code), 16));

/** Escapes what may not stand in a key: controls, space, beyond ASCII, `#` and `%`. */
function escapeBytes(bytes: string): string {
  return bytes.replace(/[\0-\x20\x7f-\xff#%]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
