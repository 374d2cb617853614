/**
 * Writes and removes children, and takes nothing that belongs to somebody else.
 *
 * Caches hold only objects with our label, so an absent child may still stand there as a stranger's. The first apply
 * therefore does not force its fields; when the API server objects, the object's owner decides. What has our labels and no
 * owner was restored from a backup, and is taken up.
 */
import { FIELD_MANAGERS } from "@archivestream/crds";
import { KubeError } from "../../kube/api-errors.ts";
import type { Apply } from "../../kube/apply.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { KubeObject, ObjectKey, ResourceType } from "../../kube/objects.ts";
import { isOrphan } from "../orphan.ts";
import { resourceOf } from "../resource-types.ts";
import { ArchiveNodeError } from "./errors.ts";
import type { Child } from "./resources/metadata.ts";

export interface ChildrenDeps {
  readonly client: KubeClient;
  readonly apply: Apply;
  readonly cached: (resource: ResourceType, key: ObjectKey) => KubeObject | undefined;
}

/** @throws {ArchiveNodeError} CHILD_NOT_OWNED */
export async function applyChild(deps: ChildrenDeps, child: Child, signal: AbortSignal): Promise<void> {
  const resource = resourceOf(child.kind);
  const key = keyOf(child);
  const known = deps.cached(resource, key);
  if (known !== undefined && isOwned(known, child)) {
    await applyOwn(deps, child, signal);
    return;
  }
  try {
    await deps.apply(child, { fieldManager: FIELD_MANAGERS.node, force: false }, signal);
  } catch (error) {
    if (!(error instanceof KubeError) || (error.code !== "FIELD_CONFLICT" && error.code !== "INVALID")) throw error;
    const live = await deps.client.get(resource, key, signal);
    if (live === undefined) throw error;
    if (!isOwned(live, child) && !isOrphan(live.metadata, child.metadata.labels))
      throw strangerError(live, child, error);
    await applyOwn(deps, child, signal);
  }
}

/**
 * Applies a child that is ours. Server-side apply never removes what another manager added to a list, and that may
 * contradict ours (two ports of one name); then our lists are first put in place whole.
 */
async function applyOwn(deps: ChildrenDeps, child: Child, signal: AbortSignal): Promise<void> {
  const fieldManager = FIELD_MANAGERS.node;
  try {
    await deps.apply(child, { fieldManager }, signal);
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "INVALID") throw error;
    const target = { resource: resourceOf(child.kind), key: keyOf(child) };
    await deps.client.patch(target, child, { contentType: "application/merge-patch+json", fieldManager }, signal);
    await deps.apply(child, { fieldManager }, signal);
  }
}

/** Deletes the child if the cache has it and it is this node's. */
export async function removeChild(deps: ChildrenDeps, child: Child, signal: AbortSignal): Promise<void> {
  const resource = resourceOf(child.kind);
  const known = deps.cached(resource, keyOf(child));
  if (known === undefined || known.metadata.deletionTimestamp !== undefined || !isOwned(known, child)) return;
  const { uid, resourceVersion } = known.metadata;
  if (uid !== undefined) await deps.client.delete({ resource, key: keyOf(child) }, { uid, resourceVersion }, signal);
}

function keyOf(child: Child): ObjectKey {
  return { namespace: child.metadata.namespace, name: child.metadata.name };
}

function isOwned(live: KubeObject, child: Child): boolean {
  const owner = child.metadata.ownerReferences?.[0]?.uid;
  return live.metadata.ownerReferences?.some((reference) => reference.uid === owner) ?? false;
}

/** A child of a deleted ArchiveNode of the same name goes by itself; anything else needs a person. */
function strangerError(live: KubeObject, child: Child, conflict: KubeError): Error {
  const controller = live.metadata.ownerReferences?.find((reference) => reference.controller === true);
  const owner = child.metadata.ownerReferences?.[0];
  if (controller !== undefined && controller.kind === owner?.kind && controller.name === owner.name) return conflict;
  return new ArchiveNodeError("CHILD_NOT_OWNED", {
    kind: child.kind,
    name: child.metadata.name,
    owner: controller === undefined ? "nobody this operator knows" : `${controller.kind} ${controller.name}`,
  });
}
