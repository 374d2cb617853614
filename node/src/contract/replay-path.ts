/** Where a capture is replayed: the path that search hits, CDX lines and archived redirects link to. Pure. */

/** What would end the path early or cannot stand in one; a URL that was recorded with it is found by its escaped form. */
const UNSAFE = /[\s\p{Cc}<>"]/gu;

/**
 * @param timestamp - 14 digits
 * @param url - as recorded
 * @returns a path without a host, for whichever listener the reader came to
 */
export function replayPath(collection: string, timestamp: string, url: string): string {
  return `/${collection}/${timestamp}id_/${url.replace(UNSAFE, encodeURIComponent)}`;
}
