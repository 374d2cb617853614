/** From a child to the key of the object that controls it. Pure. */
import type { KubeObject, ObjectKey, OwnerReference } from "../kube/objects.ts";

/** The one owner with `controller: true`. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

/** Keys to wake when a child changes; owners live in their children's namespace. */
export function ownerKeys(owner: {
  readonly group: string;
  readonly kind: string;
}): (object: KubeObject) => readonly ObjectKey[] {
  return (object) => {
    const found = controllerOf(object);
    const group =
      found?.apiVersion.includes("/") === true ? found.apiVersion.slice(0, found.apiVersion.indexOf("/")) : "";
    if (found === undefined || found.kind !== owner.kind || group !== owner.group) return [];
    return [{ namespace: object.metadata.namespace, name: found.name }];
  };
}
