/** What may be seen of a collection now: the one rule behind every read path. Pure. */
import type { CollectionConfig } from "../contract/config-schema.ts";
import { allExcludedPrefixes } from "./exclusion.ts";
import { timestampOf } from "./timestamp.ts";

export interface AccessScope {
  readonly name: string;
  /** Captures after this are under embargo, 14 digits; absent: no embargo. */
  readonly cutoff: string | undefined;
  /** Prefixes of sort keys that are never shown. */
  readonly exclude: readonly string[];
}

export function scopeOf(collection: CollectionConfig, now: Date): AccessScope {
  const { name, embargoSeconds, exclude } = collection;
  const cutoff = embargoSeconds === 0 ? undefined : timestampOf(new Date(now.getTime() - embargoSeconds * 1000));
  return { name, cutoff, exclude: allExcludedPrefixes(exclude) };
}

export function isVisible(
  scope: AccessScope,
  capture: { readonly urlkey: string; readonly timestamp: string },
): boolean {
  if (scope.cutoff !== undefined && capture.timestamp > scope.cutoff) return false;
  return !scope.exclude.some((prefix) => capture.urlkey.startsWith(prefix));
}
