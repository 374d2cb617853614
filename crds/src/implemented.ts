/**
 * Fields that the API takes and this release does nothing for. Controllers name them in the `Accepted` condition
 * (reason `NotImplementedFields`), so that nobody waits for something that never comes.
 *
 * Whoever implements a field deletes its line here. A path covers everything below it; `[]` stands for every item.
 */
import type { KindName } from "./kinds.ts";

export const NOT_IMPLEMENTED: Readonly<Record<KindName, readonly string[]>> = {
  ArchiveNode: [
    "spec.ingest",
    "spec.crawl",
    "spec.storage.objectStore",
    "spec.index.openSearch",
    "spec.coordination.redis",
    "spec.identity.rotation",
    "spec.tls.secretRef",
    "spec.tls.certManager",
    "spec.trust",
    "spec.discovery",
    "spec.endpoint.advertised",
    "spec.endpoint.gateway",
    "spec.search",
    "spec.backup",
    "spec.restoreFrom",
    "spec.deletion",
    "spec.updateStrategy.maxUnavailable",
  ],
  FederationPeer: ["spec"],
  SyncPolicy: ["spec"],
};

/**
 * Paths of {@link NOT_IMPLEMENTED} that an object sets, in the order of that table; list items by position
 * (`spec.collections[2].embargo`). A field set to an empty object or list asks for nothing and is not named. Where the
 * whole spec is without effect, the fields set at its top level are named.
 */
export function notImplementedFields(kind: KindName, spec: unknown): string[] {
  return NOT_IMPLEMENTED[kind].flatMap((path) => {
    const [, ...segments] = path.split(".");
    if (segments.length > 0) return setPaths(spec, segments, "spec");
    return isRecord(spec) ? Object.keys(spec).map((field) => `spec.${field}`) : [];
  });
}

function setPaths(value: unknown, segments: readonly string[], path: string): string[] {
  const [segment, ...rest] = segments;
  if (segment === undefined) return asksForNothing(value) ? [] : [path];
  if (!isRecord(value)) return [];
  const field = segment.replace(/\[\]$/, "");
  const child = value[field];
  if (child === undefined) return [];
  if (segment === field) return setPaths(child, rest, `${path}.${field}`);
  if (!Array.isArray(child)) return [];
  return child.flatMap((item: unknown, position) => setPaths(item, rest, `${path}.${field}[${position}]`));
}

function asksForNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.keys(value).length === 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
