/**
 * Knows whether the volume takes files. A failed write says that it does not; a probe every few seconds says when it does
 * again, so that a node heals by itself when somebody makes room.
 */
import { StorageError } from "../storage/errors.ts";

export interface VolumeWatchOptions {
  /** Throws {@link StorageError} while the volume takes nothing. */
  readonly probe: () => Promise<void>;
  /** Why writes fail, for a person; `undefined` once they work again. */
  readonly onChange: (message: string | undefined) => void;
}

const PROBE_MS = 5_000;
const OF_THE_VOLUME: ReadonlySet<string> = new Set(["DISK_FULL", "DISK_READ_ONLY", "DISK_FAILED"]);

export class VolumeWatch {
  readonly #options: VolumeWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #failing = false;
  /** Counts failures: one that came while a probe was under way is newer than what the probe found. */
  #failures = 0;

  constructor(options: VolumeWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), PROBE_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A write failed; failures that are not the volume's change nothing. */
  failed(error: unknown): void {
    if (!(error instanceof StorageError) || !OF_THE_VOLUME.has(String(error.code))) return;
    this.#failing = true;
    this.#failures += 1;
    this.#options.onChange(error.message);
  }

  async #look(): Promise<void> {
    const failuresBefore = this.#failures;
    try {
      await this.#options.probe();
    } catch (error) {
      this.failed(error);
      return;
    }
    if (!this.#failing || this.#failures !== failuresBefore) return;
    this.#failing = false;
    this.#options.onChange(undefined);
  }
}
