/**
 * Why a key was woken: by nothing but changes that our own writes made, or also by somebody else.
 *
 * What wakes without an object (a timer, a retry, a fact) says nothing either way.
 */
import type { KubeObject } from "../kube/objects.ts";
import { type OwnWrites, versionOf } from "../kube/own-writes.ts";

/** More versions than this between two runs are not worth keeping apart. */
const MAX_VERSIONS = 64;

export type WakeCause = "own-writes" | "others" | "unknown";

export class WakeCauses {
  readonly #own: Pick<OwnWrites, "has">;
  /** Versions that woke the key; `undefined` once somebody else is known to have. */
  readonly #pending = new Map<string, string[] | undefined>();

  constructor(own: Pick<OwnWrites, "has">) {
    this.#own = own;
  }

  /** @param gone - the object was deleted, which no answer to a write of ours shows */
  woken(key: string, object: KubeObject, gone: boolean): void {
    const known = this.#pending.has(key) ? this.#pending.get(key) : [];
    const version = gone ? undefined : versionOf(object);
    if (known === undefined || version === undefined || known.length >= MAX_VERSIONS) this.#pending.set(key, undefined);
    else this.#pending.set(key, [...known, version]);
  }

  /** Of the run that starts now: by then every write of the run before it was answered. */
  take(key: string): WakeCause {
    if (!this.#pending.has(key)) return "unknown";
    const versions = this.#pending.get(key);
    this.#pending.delete(key);
    return versions?.every((version) => this.#own.has(version)) === true ? "own-writes" : "others";
  }
}
