/**
 * Which versions of objects came of our own writes, as far back as a watch can lag.
 *
 * Told from the answers to writes. An event may overtake its answer, so ask when the writing reconcile has ended.
 */
import type { KubeObject } from "./objects.ts";

/** A burst of a thousand nodes makes some fifteen thousand writes; about 100 bytes each. */
const REMEMBERED = 20_000;

export class OwnWrites {
  readonly #versions = new Set<string>();

  note(answer: KubeObject): void {
    const version = versionOf(answer);
    if (version === undefined) return;
    this.#versions.add(version);
    if (this.#versions.size > REMEMBERED) this.#versions.delete(this.#versions.values().next().value ?? "");
  }

  /** @param version - of {@link versionOf} */
  has(version: string): boolean {
    return this.#versions.has(version);
  }
}

/** Names one state of one object; `undefined` for what was never stored. */
export function versionOf({ metadata }: KubeObject): string | undefined {
  const { uid, resourceVersion } = metadata;
  return uid === undefined || resourceVersion === undefined ? undefined : `${uid}/${resourceVersion}`;
}
