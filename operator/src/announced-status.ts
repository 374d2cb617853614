/** Writes the status of an ArchiveNode, and tells in Events what a write changed. Part of the composition root. */
import type { ArchiveNode, ArchiveNodeStatus } from "@archivestream/crds";
import { type Announce, announceTransitions } from "./controllers/archive-node/transitions.ts";
import type { KubeObject } from "./kube/objects.ts";
import type { WriteStatus } from "./kube/status.ts";

export interface AnnouncedStatusDeps {
  readonly write: WriteStatus<KubeObject & { readonly status?: object | undefined }, object>;
  readonly announce: Announce;
}

/**
 * Nothing is told of a write that was not needed: a cache that lags shows the status from before, and would make every
 * look at it news.
 *
 * @returns of each call: milliseconds after which to come again when the write was put off
 */
export function createAnnouncedStatus({ write, announce }: AnnouncedStatusDeps) {
  /** What was written over an object that the cache still shows. */
  const written = new WeakMap<ArchiveNode, ArchiveNodeStatus>();
  return async (node: ArchiveNode, status: ArchiveNodeStatus, signal: AbortSignal): Promise<number | undefined> => {
    const result = await write(node, status, signal);
    if (result.outcome === "deferred") return result.delayMs;
    if (result.outcome === "unchanged") return undefined;
    const before = written.get(node);
    written.set(node, status);
    await announceTransitions(announce, before === undefined ? node : { ...node, status: before }, status, signal);
    return undefined;
  };
}
