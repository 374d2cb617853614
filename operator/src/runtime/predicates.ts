/** Which changes wake a controller: pure tests on a change. */
import type { KubeObject } from "../kube/objects.ts";
import type { Change } from "./cache.ts";

export type Predicate<T extends KubeObject> = (change: Change<T>) => boolean;

/** Spec or deletion; our own status writes move neither. New and gone objects always pass. */
export function specChanged<T extends KubeObject>(change: Change<T>): boolean {
  if (change.type !== "updated") return true;
  const [now, before] = [change.object.metadata, change.previous.metadata];
  return now.generation !== before.generation || now.deletionTimestamp !== before.deletionTimestamp;
}

/** A label was set, changed or removed: selectors of other objects may depend on any of them. */
export function labelsChanged<T extends KubeObject>(change: Change<T>): boolean {
  return change.type === "updated" && differ(change.object.metadata.labels, change.previous.metadata.labels);
}

/** An annotation under `prefix`, such as `archivestream.io/`, was set, changed or removed. */
export function annotationsChanged<T extends KubeObject>(prefix: string): Predicate<T> {
  const ours = (object: T) =>
    Object.fromEntries(Object.entries(object.metadata.annotations ?? {}).filter(([name]) => name.startsWith(prefix)));
  return (change) => change.type === "updated" && differ(ours(change.object), ours(change.previous));
}

export function anyOf<T extends KubeObject>(...predicates: readonly Predicate<T>[]): Predicate<T> {
  return (change) => predicates.some((predicate) => predicate(change));
}

type Texts = Readonly<Record<string, string>>;

function differ(left: Texts = {}, right: Texts = {}): boolean {
  const names = Object.keys(left);
  return names.length !== Object.keys(right).length || names.some((name) => left[name] !== right[name]);
}
