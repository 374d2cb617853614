/**
 * Writes peers that proved themselves to a node back as Pending FederationPeers, one object at a time. It never sends
 * `admission`, so that a person's decision survives every later write.
 */
import { keyText, type ObjectKey } from "../objects.ts";
import type { WriteBudget } from "./budget.ts";
import type { Silence } from "./silence.ts";
import { type DiscoveryView, nextStep, type Step, type StoredPeer, type WantedPeer } from "./wanted.ts";

export interface DiscoveryDeps {
  /** Undefined when neither an object nor a report says whose name it is. */
  readonly view: (key: ObjectKey) => DiscoveryView | undefined;
  readonly apply: (object: WantedPeer, stored: StoredPeer | undefined, signal: AbortSignal) => Promise<void>;
  readonly remove: (stored: StoredPeer, signal: AbortSignal) => Promise<void>;
  readonly budgets: Readonly<Record<"create" | "update" | "delete", WriteBudget>>;
  readonly silence: Silence;
  /** Monotonic. */
  readonly nowMs: () => number;
}

interface Sent {
  readonly text: string;
  /** What the cache showed then. */
  readonly version: string | undefined;
  readonly atMs: number;
}

/** A cache that shows a write later than this has missed it. */
export const LAG_MS = 10_000;
/** Longer waits than a day are cut in pieces: timers do not count further than 24 days. */
const LONGEST_WAIT_MS = 86_400_000;

export function createDiscoveryReconciler(deps: DiscoveryDeps) {
  const sent = new Map<string, Sent>();
  return async (key: ObjectKey, signal: AbortSignal): Promise<number | undefined> => {
    const id = keyText(key);
    const view = deps.view(key);
    const { step, laterMs } = stepNow(deps, id, view);
    const stored = view?.stored;
    leaveOthers(deps, id, workOf(step, stored));
    if (step.do !== "apply") sent.delete(id);
    if (step.do === "apply") return (await write(deps, { id, object: step.object, stored, sent }, signal)) ?? laterMs;
    if (step.do === "remove" && stored !== undefined) return (await remove(deps, id, stored, signal)) ?? laterMs;
    return laterMs;
  };
}

interface Now {
  readonly step: Step;
  /** When a silent node will have been silent for too long. */
  readonly laterMs: number | undefined;
}

function stepNow({ silence, nowMs }: DiscoveryDeps, id: string, view: DiscoveryView | undefined): Now {
  if (view === undefined) {
    silence.forget(id);
    return { step: { do: "nothing" }, laterMs: undefined };
  }
  const { expired, leftMs } = silence.look(id, view, nowMs());
  return { step: nextStep(view, expired), laterMs: leftMs && Math.min(leftMs, LONGEST_WAIT_MS) };
}

type Work = keyof DiscoveryDeps["budgets"];

/** Who has something else to do, or nothing, waits for nothing else. */
function leaveOthers({ budgets }: DiscoveryDeps, id: string, work: Work | undefined): void {
  for (const other of WORKS) if (other !== work) budgets[other].leave(id);
}

const WORKS: readonly Work[] = ["create", "update", "delete"];

interface Write {
  readonly id: string;
  readonly object: WantedPeer;
  readonly stored: StoredPeer | undefined;
  readonly sent: Map<string, Sent>;
}

/** @returns milliseconds to wait before trying again; undefined when it was written */
async function write(
  deps: DiscoveryDeps,
  { id, object, stored, sent }: Write,
  signal: AbortSignal,
): Promise<number | undefined> {
  const atMs = deps.nowMs();
  const now = { text: JSON.stringify(object), version: stored?.metadata.resourceVersion, atMs };
  const lagMs = lagOf(sent.get(id), now);
  if (lagMs > 0) return lagMs;
  const waitMs = deps.budgets[stored === undefined ? "create" : "update"].take(id, atMs);
  if (waitMs > 0) return waitMs;
  await deps.apply(object, stored, signal);
  sent.set(id, now);
  return undefined;
}

/** @returns milliseconds to wait before trying again; undefined when it was removed */
async function remove(
  { budgets, nowMs, remove }: DiscoveryDeps,
  id: string,
  stored: StoredPeer,
  signal: AbortSignal,
): Promise<number | undefined> {
  const waitMs = budgets.delete.take(id, nowMs());
  if (waitMs > 0) return waitMs;
  await remove(stored, signal);
  return undefined;
}

function workOf(step: Step, stored: StoredPeer | undefined): Work | undefined {
  if (step.do === "nothing") return undefined;
  if (step.do === "remove") return "delete";
  return stored === undefined ? "create" : "update";
}

/** How long the cache may still take to show what was sent. */
function lagOf(last: Sent | undefined, now: Sent): number {
  if (last?.text !== now.text || last.version !== now.version) return 0;
  return last.atMs + LAG_MS - now.atMs;
}
