/** Starts components in order and stops them in reverse. A failed start stops what was started. */
import type { Component } from "./component.ts";

export interface SupervisorEvents {
  readonly started: (component: string) => void;
  /** A component that failed to stop does not keep the others from stopping. */
  readonly stopFailed: (component: string, error: unknown) => void;
}

export class Supervisor {
  readonly #components: readonly Component[];
  readonly #events: SupervisorEvents;
  readonly #running: Component[] = [];

  constructor(components: readonly Component[], events: SupervisorEvents) {
    this.#components = components;
    this.#events = events;
  }

  /** @throws whatever the component that did not start threw, after the started ones were stopped */
  async start(signal: AbortSignal, stopDeadlineMs: number): Promise<void> {
    try {
      for (const component of this.#components) {
        signal.throwIfAborted();
        await component.start(signal);
        this.#running.push(component);
        this.#events.started(component.name);
      }
    } catch (error) {
      await this.stop(stopDeadlineMs);
      throw error;
    }
  }

  /** @param deadlineMs - for all components together */
  async stop(deadlineMs: number): Promise<void> {
    const signal = AbortSignal.timeout(deadlineMs);
    for (let component = this.#running.pop(); component !== undefined; component = this.#running.pop()) {
      try {
        await component.stop(signal);
      } catch (error) {
        this.#events.stopFailed(component.name, error);
      }
    }
  }
}
