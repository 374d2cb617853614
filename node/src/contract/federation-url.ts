/** Base URLs of federation APIs, as people write them and as they are kept: https, the path of the protocol, no slash at the end. */

export const FEDERATION_PATH = "/api/v1/federation";
const MAX_URL_CHARS = 2048;

/** The base URL meant by `address`, the protocol's path added when it names none; `undefined` when it cannot be one. */
export function federationUrl(address: string): string | undefined {
  if (address.length > MAX_URL_CHARS || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  const isPlain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (url.protocol !== "https:" || !isPlain) return undefined;
  const path = url.pathname.replace(/\/+$/, "");
  return `${url.origin}${path === "" ? FEDERATION_PATH : path}`;
}
