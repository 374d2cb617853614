/** What is thrown away or shared before an object enters a cache: two thirds of a typical object's memory. */
import type { KubeObject, ObjectMeta } from "../kube/objects.ts";

/** What becomes of an object between the server and the cache. Must not change its argument. */
export type Transform = <T extends KubeObject>(object: T) => T;

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Drops `managedFields` and kubectl's copy of the object; everything else stays as the server sent it. */
export function transformAtTheDoor<T extends KubeObject>(object: T): T {
  const { managedFields: _dropped, ...metadata } = object.metadata;
  if (metadata.annotations?.[LAST_APPLIED] === undefined) return { ...object, metadata };
  const { [LAST_APPLIED]: _copy, ...annotations } = metadata.annotations;
  return { ...object, metadata: { ...metadata, annotations } };
}

/**
 * Keeps parts of objects that many objects repeat once: the children of one owner have the same labels and the same
 * owner reference.
 *
 * Forgetting costs memory, never correctness: a part that is not known any more is kept a second time.
 */
export class SharedParts {
  readonly #limit: number;
  #recent = new Map<string, object>();
  /** Found here, a part is recent again; what is not asked for goes with the next change of generation. */
  #older: ReadonlyMap<string, object> = new Map();

  /** @param limit - parts remembered per generation, about 700 bytes each; two generations are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The labels and owner references of `object` as they are known already. */
  readonly transform: Transform = <T extends KubeObject>(object: T): T => {
    const { labels, ownerReferences } = object.metadata;
    const metadata: ObjectMeta = {
      ...object.metadata,
      ...(labels === undefined ? {} : { labels: this.#known(labels) }),
      ...(ownerReferences === undefined ? {} : { ownerReferences: this.#known(ownerReferences) }),
    };
    return { ...object, metadata };
  };

  #known<P extends object>(part: P): P {
    const text = JSON.stringify(part);
    const known = this.#recent.get(text) ?? this.#older.get(text) ?? part;
    if (this.#recent.size >= this.#limit) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(text, known);
    return known as P; // the same text is the same part
  }
}
