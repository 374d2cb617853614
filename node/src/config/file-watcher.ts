/**
 * Notices changed files by looking at them every two seconds. Kubernetes replaces mounted folders by swapping a
 * symlink, which change notifications miss; looking at what the path leads to (inode, size, time) misses nothing.
 */
import { stat } from "node:fs/promises";
import type { Component } from "../lifecycle/component.ts";

export const POLL_MS = 2_000;

export interface WatchedFiles {
  readonly files: readonly string[];
  /** Called after a change of any of the files; a throw is reported and the files are looked at again next time. */
  readonly changed: () => Promise<void>;
}

export class FileWatcher implements Component {
  readonly name = "file watcher";
  readonly #watched: readonly WatchedFiles[];
  readonly #failed: (error: unknown, files: readonly string[]) => void;
  readonly #seen = new Map<WatchedFiles, string>();
  #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #look: Promise<void> = Promise.resolve();

  constructor(watched: readonly WatchedFiles[], failed: (error: unknown, files: readonly string[]) => void) {
    this.#watched = watched;
    this.#failed = failed;
  }

  async start(): Promise<void> {
    for (const one of this.#watched) this.#seen.set(one, await fingerprint(one.files));
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await this.#look;
  }

  #schedule(): void {
    if (this.#stopped.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#look = this.#lookAtAll().then(() => this.#schedule());
    }, POLL_MS);
    this.#timer.unref();
  }

  async #lookAtAll(): Promise<void> {
    for (const one of this.#watched) {
      const now = await fingerprint(one.files);
      if (now === this.#seen.get(one)) continue;
      try {
        await one.changed();
        this.#seen.set(one, now);
      } catch (error) {
        this.#failed(error, one.files);
      }
    }
  }
}

async function fingerprint(files: readonly string[]): Promise<string> {
  const each = files.map(async (file) => {
    const found = await stat(file, { bigint: true }).catch(() => undefined);
    return found === undefined ? "absent" : `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`;
  });
  return (await Promise.all(each)).join(" ");
}
