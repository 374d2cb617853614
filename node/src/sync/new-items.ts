/** What of a peer's files is to be fetched, and what a wanted file is remembered as. */
import type { HoldingQueries } from "../archive/archive.ts";
import type { Change } from "../asfp/sync-messages.ts";
import type { NewItem } from "./wanted-calls.ts";

/** Of some files: those that are here, and those that are neither here nor were withdrawn here. */
export interface Sorted {
  readonly held: ReadonlySet<string>;
  readonly wanted: readonly string[];
}

export async function sortHashes(
  holdings: Pick<HoldingQueries, "heldOf" | "withdrawnOf">,
  collection: string,
  hashes: readonly string[],
  signal: AbortSignal,
): Promise<Sorted> {
  const held = await holdings.heldOf(collection, hashes, signal);
  const withdrawn = await holdings.withdrawnOf(collection, hashes, signal);
  return { held, wanted: hashes.filter((hash) => !held.has(hash) && !withdrawn.has(hash)) };
}

export function newItemOf({ hash, size, filename }: Change, maxBytes: number): NewItem {
  return { hash, size, filename: nameOf(filename), reason: size > maxBytes ? "too-large" : "queued" };
}

/** A name is shown to people and in lists of lines; one that could break a line is dropped. */
function nameOf(filename: string | undefined): string | undefined {
  return filename === undefined || /\p{Cc}/u.test(filename) ? undefined : filename;
}
