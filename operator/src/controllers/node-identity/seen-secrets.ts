/**
 * Which Secrets are still what they were when they were last read or written, told by the metadata in the cache.
 *
 * The cache lags behind our own writes. While it still shows what it showed then, that is no news; after a few seconds
 * it is believed again, because a Secret that is deleted right after it was made never shows up.
 */
import { keyText, type ObjectKey } from "../objects.ts";

/** `lagging`: the cache has yet to show what is known. `changed`: look at the Secret itself. */
export type Freshness = "same" | "lagging" | "changed";

/** The cache is believed again after this long. Milliseconds; watches deliver in tens of them. */
export const LAG_MS = 5_000;

interface Seen {
  readonly version: string | undefined;
  /** What the cache showed at that time. */
  readonly cached: string | undefined;
  readonly believedUntilMs: number;
}

export interface SeenSecretsDeps {
  /** Resource version as cached; undefined while there is no such Secret. */
  readonly cachedVersion: (key: ObjectKey) => string | undefined;
  readonly monotonicMs: () => number;
}

export class SeenSecrets {
  readonly #deps: SeenSecretsDeps;
  readonly #seen = new Map<string, Seen>();

  constructor(deps: SeenSecretsDeps) {
    this.#deps = deps;
  }

  /** The server answered a read or a write with this version; undefined: it has no such Secret. */
  note(key: ObjectKey, version: string | undefined): void {
    const cached = this.#deps.cachedVersion(key);
    this.#seen.set(keyText(key), { version, cached, believedUntilMs: this.#deps.monotonicMs() + LAG_MS });
  }

  freshness(key: ObjectKey): Freshness {
    const seen = this.#seen.get(keyText(key));
    if (seen === undefined) return "changed";
    const cached = this.#deps.cachedVersion(key);
    if (cached === seen.version) {
      // Once it has shown up, its absence is news.
      this.#seen.set(keyText(key), { ...seen, cached });
      return "same";
    }
    return cached === seen.cached && this.#deps.monotonicMs() < seen.believedUntilMs ? "lagging" : "changed";
  }

  forget(key: ObjectKey): void {
    this.#seen.delete(keyText(key));
  }
}
