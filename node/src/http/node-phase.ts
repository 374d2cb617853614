/** What the node is doing, for probes and the operator. */
import type { AdminStatus } from "../contract/admin-api.ts";

export type NodePhase = AdminStatus["phase"];

export class NodeState {
  #phase: NodePhase = "Starting";
  #message = "";

  get phase(): NodePhase {
    return this.#phase;
  }

  /** Why `Degraded`; empty otherwise. */
  get message(): string {
    return this.#message;
  }

  /** `Draining` is final. */
  become(phase: NodePhase, message = ""): void {
    if (this.#phase === "Draining") return;
    this.#phase = phase;
    this.#message = message;
  }
}
