/** Archived URLs need not be UTF-8: `/caf%E9.html` is one. The router decodes paths and would refuse them. Pure. */

const CAPTURE_PATH = /^\/[^/?]+\/\d{1,14}id_\//;

/** What the router is given; the route itself reads the URL as it was sent (`originalUrl`). */
export function routableUrl(url: string): string {
  const prefix = CAPTURE_PATH.exec(url)?.[0];
  if (prefix === undefined || isDecodable(url)) return url;
  return prefix + url.slice(prefix.length).replaceAll("%", "%25");
}

function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}
