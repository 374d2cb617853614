/** What the node is doing, for probes and the operator. */
import type { AdminStatus } from "../contract/admin-api.ts";

export type NodePhase = AdminStatus["phase"];
/** What can be wrong with a node that goes on reading. */
export type Trouble = "volume" | "index";
/** What a person should look at, though everything is served. */
export type Note = "unsearchable";

const MESSAGE_CHARS = 1024;

export class NodeState {
  #phase: Exclude<NodePhase, "Degraded"> = "Starting";
  readonly #troubles = new Map<Trouble, string>();
  readonly #notes = new Map<Note, string>();

  /** `Degraded` while a serving node has any trouble. */
  get phase(): NodePhase {
    return this.#phase === "Serving" && this.#troubles.size > 0 ? "Degraded" : this.#phase;
  }

  /** Why `Degraded`, and what else a person should look at; empty when there is nothing. */
  get message(): string {
    const troubles = this.phase === "Degraded" ? this.#troubles.values() : [];
    return [...troubles, ...this.#notes.values()].join("; ").slice(0, MESSAGE_CHARS);
  }

  /** `Draining` is final. */
  become(phase: "Serving" | "Draining"): void {
    if (this.#phase !== "Draining") this.#phase = phase;
  }

  /** One trouble that ends leaves the others as they are. */
  report(trouble: Trouble, message: string): void {
    this.#troubles.set(trouble, message);
  }

  ended(trouble: Trouble): void {
    this.#troubles.delete(trouble);
  }

  note(note: Note, message: string): void {
    this.#notes.set(note, message);
  }

  clear(note: Note): void {
    this.#notes.delete(note);
  }
}
