/** What a reconciler is given and may answer. */
import type { ObjectKey } from "../kube/objects.ts";

export type ReconcileResult =
  | { readonly kind: "done" }
  /** Look again after `delayMs`; not a failure, the back-off is reset. */
  | { readonly kind: "requeueAfter"; readonly delayMs: number };

export const DONE: ReconcileResult = { kind: "done" };

/** Level based: the event that woke us is not an input, and every run is safe to repeat. */
export type Reconciler = (key: ObjectKey, signal: AbortSignal) => Promise<ReconcileResult>;

/** Trying again cannot help until the object changes: counted, not retried. */
export class TerminalError extends Error {
  override readonly name = "TerminalError";
}
