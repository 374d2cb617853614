/**
 * Server-side apply that writes only when something would change.
 *
 * A repeated apply bumps the resourceVersion in known cases (kubernetes#119304, #131175), which is an endless loop for
 * whoever watches what it writes. So the document's digest is kept on the object, and an apply is sent only when the
 * digest moved or the live object drifted in a field of the document.
 */
import { KubeError } from "./api-errors.ts";
import type { KubeClient } from "./client.ts";
import type { Clock } from "./clock.ts";
import { DigestMemory } from "./digest.ts";
import { firstDrift } from "./drift.ts";
import { Expectations } from "./expectations.ts";
import type { KubeMetrics } from "./metrics.ts";
import { apiVersionOf, type KubeObject, keyOf, keyText, type ObjectKey, type ResourceType } from "./objects.ts";

export const APPLIED_HASH_ANNOTATION = "archivestream.io/applied-hash";

/** What a cache knows of an object; `metadataOnly` caches cannot show drift. */
export interface CachedObject {
  readonly object: KubeObject | undefined;
  readonly metadataOnly: boolean;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  /** Apply to this incarnation only; another one of the same name gives `CONFLICT`. */
  readonly uid?: string | undefined;
  /** Take fields from other managers; default true. With false, theirs give `FIELD_CONFLICT`. */
  readonly force?: boolean;
}

export interface ApplyResult {
  readonly outcome: "changed" | "noop";
  /** As last seen or as answered. */
  readonly object: KubeObject | undefined;
}

/** @throws {KubeError} `FIELD_CONFLICT` names field and manager; `INVALID` what the server refused */
export type Apply = (object: KubeObject, options: ApplyOptions, signal: AbortSignal) => Promise<ApplyResult>;

export interface ApplyDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly metrics: KubeMetrics;
  /** The kind's address. @throws for kinds the program does not know */
  readonly resourceOf: (object: KubeObject) => ResourceType;
  /** Looks into the cache of the kind; `undefined` when there is none, then the object is read from the server. */
  readonly cached: (resource: ResourceType, key: ObjectKey) => CachedObject | undefined;
  /** Told of an object that somebody else changed since our last write, before it is put right. */
  readonly drifted?: (object: KubeObject, field: string) => void;
}

/** Forgetting costs one read of the object; about 200 bytes each. */
const MAX_REMEMBERED = 100_000;

interface Target {
  readonly resource: ResourceType;
  readonly key: ObjectKey;
  readonly id: string;
  readonly digest: string;
}

/** Digest of our last write, and the version at which the contents were last seen to match it. */
interface Verified {
  readonly digest: string;
  readonly resourceVersion: string | undefined;
}

interface Memory {
  readonly expectations: Expectations;
  readonly verified: Map<string, Verified>;
  readonly digests: DigestMemory;
}

export function createApply(deps: ApplyDeps): Apply {
  const memory: Memory = {
    expectations: new Expectations(deps.clock),
    verified: new Map(),
    digests: new DigestMemory(MAX_REMEMBERED),
  };
  return async (object, options, signal) => {
    const target = targetOf(deps, memory.digests, object, options);
    const cached = deps.cached(target.resource, target.key);
    const done =
      fromMemory(memory, target, cached) ?? (await fromLive(deps, memory, { target, cached, object }, signal));
    if (done !== undefined) {
      deps.metrics.applied(target.resource.kind, "noop");
      return done;
    }
    const written = await send(deps, object, { ...target, options }, signal);
    const { resourceVersion } = written.metadata;
    remember(memory, target, resourceVersion);
    memory.expectations.wrote(target.id, cached?.object?.metadata.resourceVersion, resourceVersion);
    deps.metrics.applied(target.resource.kind, "changed");
    return { outcome: "changed", object: written };
  };
}

/** A no-op that needs no look: the cache has yet to show our write, or shows what was found right before. */
function fromMemory(memory: Memory, target: Target, cached: CachedObject | undefined): ApplyResult | undefined {
  const version = cached?.object?.metadata.resourceVersion;
  if (cached === undefined || version === undefined) return undefined;
  const stale = memory.expectations.isStale(target.id, version);
  const known = memory.verified.get(target.id);
  if (known?.digest !== target.digest) return undefined;
  return stale || known.resourceVersion === version ? { outcome: "noop", object: cached.object } : undefined;
}

/** A no-op because the live object already is what the document asks for. */
async function fromLive(
  deps: ApplyDeps,
  memory: Memory,
  at: { readonly target: Target; readonly cached: CachedObject | undefined; readonly object: KubeObject },
  signal: AbortSignal,
): Promise<ApplyResult | undefined> {
  const { target, cached, object } = at;
  // Missing after our own write may mean: not there yet, or created, shown and deleted since. Only the server knows.
  const missing = cached !== undefined && cached.object === undefined;
  if (missing && !memory.expectations.isStale(target.id, undefined)) return undefined;
  const live =
    missing || cached === undefined || cached.metadataOnly
      ? await deps.client.get(target.resource, target.key, signal)
      : cached.object;
  if (live?.metadata.annotations?.[APPLIED_HASH_ANNOTATION] !== target.digest) return undefined;
  const field = firstDrift(object, live);
  if (field !== undefined) {
    deps.drifted?.(live, field);
    return undefined;
  }
  remember(memory, target, live.metadata.resourceVersion);
  return { outcome: "noop", object: live };
}

function remember({ verified }: Memory, target: Target, resourceVersion: string | undefined): void {
  if (verified.size >= MAX_REMEMBERED) verified.delete(verified.keys().next().value ?? "");
  verified.set(target.id, { digest: target.digest, resourceVersion });
}

function targetOf(deps: ApplyDeps, digests: DigestMemory, object: KubeObject, options: ApplyOptions): Target {
  const resource = deps.resourceOf(object);
  const key = keyOf(object);
  const id = `${apiVersionOf(resource)}/${resource.kind}/${keyText(key)}`;
  // The manager is part of the digest: one object may be applied in parts by several.
  return { resource, key, id, digest: digests.digestOf(id, { fieldManager: options.fieldManager, object }) };
}

async function send(
  deps: ApplyDeps,
  object: KubeObject,
  target: Target & { readonly options: ApplyOptions },
  signal: AbortSignal,
): Promise<KubeObject> {
  const { uid, fieldManager, force = true } = target.options;
  const annotations = { ...object.metadata.annotations, [APPLIED_HASH_ANNOTATION]: target.digest };
  const metadata = { ...object.metadata, annotations, ...(uid === undefined ? {} : { uid }) };
  try {
    return await deps.client.patch(
      target,
      { ...object, metadata },
      { contentType: "application/apply-patch+yaml", fieldManager, force },
      signal,
    );
  } catch (error) {
    if (error instanceof KubeError && error.code === "FIELD_CONFLICT") {
      deps.metrics.applied(target.resource.kind, "conflict");
    }
    throw error;
  }
}
