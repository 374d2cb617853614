/** What is thrown away before an object enters a cache: more than half of a typical object's memory. Pure. */
import type { KubeObject } from "../kube/objects.ts";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Drops `managedFields` and kubectl's copy of the object; everything else stays as the server sent it. */
export function transformAtTheDoor<T extends KubeObject>(object: T): T {
  const { managedFields: _dropped, ...metadata } = object.metadata;
  if (metadata.annotations?.[LAST_APPLIED] === undefined) return { ...object, metadata };
  const { [LAST_APPLIED]: _copy, ...annotations } = metadata.annotations;
  return { ...object, metadata: { ...metadata, annotations } };
}
