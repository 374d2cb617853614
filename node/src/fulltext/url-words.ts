/** The searchable words of a URL: host labels and path, without scheme, `www` and file suffixes of web pages. */
const MAX_CHARS = 2_000;

export function urlWords(url: string): string {
  const bare = url
    .slice(0, MAX_CHARS)
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
    .replace(/^www\d*\./i, "")
    .replace(/\.(html?|php|aspx?|jsp)(?=$|[?#])/i, "");
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}

/** Host of a URL, lower case, without port; empty for what has none (`dns:`, `urn:`). */
export function hostOf(url: string): string {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1] ?? "";
  return authority.replace(/^.*@/, "").replace(/:\d*$/, "").toLowerCase();
}

/** Path segments below the root: 0 for a home page. */
export function urlDepth(url: string): number {
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "").replace(/[?#].*$/s, "");
  return path.split("/").filter((segment) => segment !== "").length + (url.includes("?") ? 1 : 0);
}
