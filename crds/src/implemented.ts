/**
 * Fields that the API takes and this release does nothing for. Controllers name them in the `Accepted` condition
 * (reason `NotImplementedFields`), so that nobody waits for something that never comes.
 *
 * Whoever implements a field deletes its line here. A path covers everything below it; `[]` stands for every item; `path=value` is
 * one value of a field whose others work.
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
    "spec.trust.require=CA",
    "spec.trust.require=KeyAndCA",
    "spec.trust.caBundleRefs",
    "spec.trust.revocation.push=Disabled",
    "spec.trust.grace",
    "spec.discovery.mode=AutoAdmit",
    "spec.discovery.admitSelector",
    "spec.endpoint.gateway",
    "spec.search.maxConcurrent",
    "spec.search.cacheTtl",
    "spec.backup",
    "spec.restoreFrom",
    "spec.deletion",
    "spec.updateStrategy.maxUnavailable",
  ],
  FederationPeer: ["spec.endpoints[].region", "spec.trust.caRef", "spec.trust.minVersion", "spec.roles"],
  SyncPolicy: [
    "spec.direction=Announce",
    "spec.direction=Both",
    "spec.jitter",
    "spec.windows",
    "spec.limits.bandwidth",
    "spec.limits.concurrency",
    "spec.verification.mode=Full",
    "spec.conflict",
    "spec.failure",
    "spec.replication",
    "spec.mode=DryRun",
  ],
};

/**
 * Paths of {@link NOT_IMPLEMENTED} that an object sets, in the order of that table; list items by position
 * (`spec.collections[2].embargo`). A field set to an empty object or list asks for nothing and is not named.
 */
export function notImplementedFields(kind: KindName, spec: unknown): string[] {
  return NOT_IMPLEMENTED[kind].flatMap((path) => {
    const [where = "", value] = path.split("=");
    const [, ...segments] = where.split(".");
    return setPaths(spec, segments, "spec", value);
  });
}

function setPaths(value: unknown, segments: readonly string[], path: string, only: string | undefined): string[] {
  const [segment, ...rest] = segments;
  if (segment === undefined) {
    if (only !== undefined) return value === only ? [`${path}=${only}`] : [];
    return asksForNothing(value) ? [] : [path];
  }
  if (!isRecord(value)) return [];
  const field = segment.replace(/\[\]$/, "");
  const child = value[field];
  if (child === undefined) return [];
  if (segment === field) return setPaths(child, rest, `${path}.${field}`, only);
  if (!Array.isArray(child)) return [];
  return child.flatMap((item: unknown, position) => setPaths(item, rest, `${path}.${field}[${position}]`, only));
}

function asksForNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.keys(value).length === 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
