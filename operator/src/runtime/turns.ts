/**
 * When periodic work of an object is due: each has its own moment in every period, by the hash of its UID.
 *
 * So work is spread evenly, and stays where it is over restarts: a fleet that was started together is not due together.
 * Pure.
 */

/** FNV-1a, 32 bits: quick, and even enough for names that differ in a few characters. */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** @returns share of a period, in [0, 1) */
export function phaseOf(uid: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < uid.length; index++) hash = Math.imul(hash ^ uid.charCodeAt(index), FNV_PRIME);
  // The low bits of FNV mix better than the high ones, which a share is made of.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) / 2 ** 32;
}

/** True when a turn of `uid` lies in `(fromMs, toMs]`; milliseconds since any fixed moment, such as 1970. */
export function hasTurn(
  uid: string,
  periodMs: number,
  span: { readonly fromMs: number; readonly toMs: number },
): boolean {
  const offsetMs = phaseOf(uid) * periodMs;
  const turns = (atMs: number) => Math.floor((atMs - offsetMs) / periodMs);
  return turns(span.toMs) > turns(span.fromMs);
}
