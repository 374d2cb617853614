/**
 * Objects of one kind as the API server last showed them, frozen. One reflector writes; all may read.
 *
 * A listener learns of a change after the cache holds it. What a listener throws is caught: it must never end a watch.
 */
import { type KubeObject, keyOf, keyText, type ObjectKey } from "../kube/objects.ts";

export type Change<T extends KubeObject> =
  | { readonly type: "added"; readonly object: T; readonly initial: boolean }
  | { readonly type: "updated"; readonly object: T; readonly previous: T }
  /** `isLast`: the object is as it was stored last; otherwise the deletion was missed and it is as it was seen last. */
  | { readonly type: "deleted"; readonly object: T; readonly isLast: boolean };

export type ChangeListener<T extends KubeObject> = (change: Change<T>) => void;

export interface ReadCache<T extends KubeObject> {
  readonly hasSynced: boolean;
  readonly size: number;
  get(key: ObjectKey): T | undefined;
  list(namespace?: string): readonly T[];
  /** Existing objects are replayed as `added`; returns what removes the listener. */
  onChange(listener: ChangeListener<T>): () => void;
}

export class ObjectCache<T extends KubeObject> implements ReadCache<T> {
  readonly #listenerFailed: (error: unknown) => void;
  readonly #listeners = new Set<ChangeListener<T>>();
  #objects = new Map<string, T>();
  #synced = false;

  constructor(listenerFailed: (error: unknown) => void) {
    this.#listenerFailed = listenerFailed;
  }

  get hasSynced(): boolean {
    return this.#synced;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyText(key));
  }

  list(namespace?: string): readonly T[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  onChange(listener: ChangeListener<T>): () => void {
    this.#listeners.add(listener);
    for (const object of this.#objects.values()) this.#tell(listener, { type: "added", object, initial: true });
    return () => this.#listeners.delete(listener);
  }

  /** One event of a watch. */
  upsert(incoming: T): void {
    const object = deepFreeze(incoming);
    const key = keyText(keyOf(object));
    const previous = this.#objects.get(key);
    if (previous?.metadata.resourceVersion === object.metadata.resourceVersion && previous !== undefined) return;
    this.#objects.set(key, object);
    this.#announce(
      previous === undefined
        ? { type: "added", object, initial: !this.#synced }
        : { type: "updated", object, previous },
    );
  }

  /** The other event of a watch; `last` is what it shows. */
  remove(last: T): void {
    if (!this.#objects.delete(keyText(keyOf(last)))) return;
    this.#announce({ type: "deleted", object: deepFreeze(last), isLast: true });
  }

  /**
   * Swaps in a complete list, then tells what is different, including what vanished meanwhile.
   *
   * @returns how many objects differed from what the cache held
   */
  replace(objects: readonly T[]): number {
    const before = this.#objects;
    const initial = !this.#synced;
    this.#objects = new Map();
    for (const object of objects) this.#objects.set(keyText(keyOf(object)), deepFreeze(object));
    this.#synced = true;
    const changes = difference(before, this.#objects, initial);
    for (const change of changes) this.#announce(change);
    return changes.length;
  }

  #announce(change: Change<T>): void {
    for (const listener of this.#listeners) this.#tell(listener, change);
  }

  #tell(listener: ChangeListener<T>, change: Change<T>): void {
    try {
      listener(change);
    } catch (error) {
      this.#listenerFailed(error);
    }
  }
}

function difference<T extends KubeObject>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  initial: boolean,
): readonly Change<T>[] {
  const changes: Change<T>[] = [];
  for (const [key, object] of before) if (!after.has(key)) changes.push({ type: "deleted", object, isLast: false });
  for (const [key, object] of after) {
    const previous = before.get(key);
    if (previous === undefined) changes.push({ type: "added", object, initial });
    // A new uid means that we missed the deletion of the old one.
    else if (previous.metadata.uid !== object.metadata.uid) {
      changes.push({ type: "deleted", object: previous, isLast: false }, { type: "added", object, initial });
    } else if (previous.metadata.resourceVersion !== object.metadata.resourceVersion) {
      changes.push({ type: "updated", object, previous });
    }
  }
  return changes;
}

/** Objects are handed out to many; a change by one would be a lie to all others. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}
