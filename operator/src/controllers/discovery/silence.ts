/** Since when nodes are silent about peers that they vouched for: a peer is forgotten after `spec.discovery.ttl`. */
import { durationMs } from "../duration.ts";
import { type DiscoveryView, stanceOf } from "./wanted.ts";

const DEFAULT_TTL = "72h";

export interface SilentNodes {
  /** UIDs of ArchiveNodes that have been silent for too long. */
  readonly expired: ReadonlySet<string>;
  /** Until the next one has; undefined when none is silent. */
  readonly leftMs: number | undefined;
}

export class Silence {
  /** By object, then by UID of the ArchiveNode. A restart begins anew: forgetting late is no harm. */
  readonly #since = new Map<string, ReadonlyMap<string, number>>();

  /** @param nowMs - monotonic; the first look at a silent node starts its time */
  look(id: string, view: DiscoveryView, nowMs: number): SilentNodes {
    const before = this.#since.get(id);
    const silent = view.witnesses.filter((witness) => stanceOf(witness, view) === "silent").map(({ node }) => node);
    const since = new Map(silent.map(({ metadata: { uid } }) => [uid, before?.get(uid) ?? nowMs]));
    if (since.size === 0) this.#since.delete(id);
    else this.#since.set(id, since);
    const left = silent.map(({ metadata: { uid }, spec }) => ({
      uid,
      leftMs: (since.get(uid) ?? nowMs) + durationMs(spec.discovery?.ttl ?? DEFAULT_TTL) - nowMs,
    }));
    const waiting = left.filter(({ leftMs }) => leftMs > 0).map(({ leftMs }) => leftMs);
    return {
      expired: new Set(left.filter(({ leftMs }) => leftMs <= 0).map(({ uid }) => uid)),
      leftMs: waiting.length === 0 ? undefined : Math.min(...waiting),
    };
  }

  forget(id: string): void {
    this.#since.delete(id);
  }
}
