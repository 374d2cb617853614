/** Renews the keys of a node without an operator while it runs; the file watcher then takes the new files. */
import type { Component } from "../lifecycle/component.ts";
import type { Logger } from "../observability/logging.ts";
import { ensureLocalIdentity } from "./local-identity.ts";

const CHECK_EVERY_MS = 3_600_000;

export class IdentityRenewal implements Component {
  readonly name = "identity renewal";
  readonly #folders: { readonly keys: string; readonly accessTokenFile: string };
  readonly #now: () => Date;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(folders: { readonly keys: string; readonly accessTokenFile: string }, now: () => Date, logger: Logger) {
    this.#folders = folders;
    this.#now = now;
    this.#logger = logger;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => {
      this.#running = this.#renew();
    }, CHECK_EVERY_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #renew(): Promise<void> {
    try {
      if (await ensureLocalIdentity(this.#folders, this.#now())) this.#logger.info("keys renewed");
    } catch (error) {
      this.#logger.error({ err: error }, "keys cannot be renewed");
    }
  }
}
