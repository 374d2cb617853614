/**
 * Writes peers that proved themselves to a node back as Pending FederationPeers, one object at a time. It never sends
 * `admission`, so that a person's decision survives every later write.
 */
import type { ArchiveNode } from "@archivestream/crds";
import { durationMs } from "../duration.ts";
import { keyText, type ObjectKey } from "../objects.ts";
import type { CreationBudget } from "./budget.ts";
import {
  DEFAULT_MAX_PEERS,
  DEFAULT_TTL,
  type DiscoveryView,
  nextStep,
  proposes,
  type Step,
  type StoredPeer,
  type WantedPeer,
} from "./wanted.ts";

export interface DiscoveryDeps {
  /** Undefined when neither an object nor a report says whose name it is. */
  readonly view: (key: ObjectKey) => DiscoveryView | undefined;
  /** Discovered objects of the namespace that this node owns. */
  readonly owned: (node: ArchiveNode) => number;
  readonly apply: (object: WantedPeer, stored: StoredPeer | undefined, signal: AbortSignal) => Promise<void>;
  readonly remove: (stored: StoredPeer, signal: AbortSignal) => Promise<void>;
  readonly budget: CreationBudget;
  readonly now: () => Date;
}

interface Sent {
  readonly text: string;
  /** What the cache showed then. */
  readonly version: string | undefined;
  readonly atMs: number;
}

/** A cache that shows a write later than this has missed it. */
const LAG_MS = 10_000;
/** A node that has as many as it may is looked at again then: one of them may have gone. */
const FULL_MS = 60_000;
/** Longer waits than a day are cut in pieces: timers do not count further than 24 days. */
const LONGEST_WAIT_MS = 86_400_000;

export function createDiscoveryReconciler(deps: DiscoveryDeps) {
  const sent = new Map<string, Sent>();
  /** Since when nobody vouches. */
  const alone = new Map<string, number>();
  return async (key: ObjectKey, signal: AbortSignal): Promise<number | undefined> => {
    const id = keyText(key);
    const view = deps.view(key);
    const step = stepOf(view);
    const nowMs = deps.now().getTime();
    forgetOthers(step, id, { alone, sent });
    if (view === undefined || step.do === "nothing") return undefined;
    if (step.do === "apply") return write(deps, { view, object: step.object, sent, id, nowMs }, signal);
    const leftMs = step.do === "expire" ? timeLeftMs(alone, id, ttlMs(view), nowMs) : 0;
    return leftMs > 0 ? Math.min(leftMs, LONGEST_WAIT_MS) : remove(deps, view, signal);
  };
}

/** What is remembered for one kind of step ends when it is another one's turn. */
function forgetOthers(
  step: Step,
  id: string,
  { alone, sent }: { readonly alone: Map<string, number>; readonly sent: Map<string, Sent> },
): void {
  if (step.do !== "expire") alone.delete(id);
  if (step.do !== "apply") sent.delete(id);
}

function stepOf(view: DiscoveryView | undefined): Step {
  return view === undefined ? { do: "nothing" } : nextStep(view);
}

async function remove(deps: DiscoveryDeps, { stored }: DiscoveryView, signal: AbortSignal): Promise<undefined> {
  if (stored !== undefined) await deps.remove(stored, signal);
  return undefined;
}

/** Until an object that nobody vouches for is forgotten; the first look starts the time. */
function timeLeftMs(alone: Map<string, number>, id: string, ttl: number, nowMs: number): number {
  const since = alone.get(id) ?? nowMs;
  alone.set(id, since);
  return since + ttl - nowMs;
}

interface Write {
  readonly view: DiscoveryView;
  readonly object: WantedPeer;
  readonly sent: Map<string, Sent>;
  readonly id: string;
  readonly nowMs: number;
}

async function write(
  deps: DiscoveryDeps,
  { view, object, sent, id, nowMs }: Write,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { stored } = view;
  const text = JSON.stringify(object);
  const version = stored?.metadata.resourceVersion;
  const last = sent.get(id);
  const lagMs = (last?.atMs ?? 0) + LAG_MS - nowMs;
  if (last?.text === text && last.version === version && lagMs > 0) return lagMs;
  if (stored === undefined) {
    if (!hasRoom(deps, view, object)) return FULL_MS;
    const waitMs = deps.budget.take(nowMs);
    if (waitMs > 0) return waitMs;
  }
  await deps.apply(object, stored, signal);
  sent.set(id, { text, version, atMs: nowMs });
  return undefined;
}

/** One node with room is enough: it vouches as well as the others. */
function hasRoom(deps: DiscoveryDeps, { witnesses }: DiscoveryView, { metadata }: WantedPeer): boolean {
  const owners = new Set(metadata.ownerReferences?.map(({ uid }) => uid));
  return witnesses.some(
    ({ node }) =>
      owners.has(node.metadata.uid) && deps.owned(node) < (node.spec.discovery?.maxPeers ?? DEFAULT_MAX_PEERS),
  );
}

/** The most patient node counts. */
function ttlMs({ witnesses }: DiscoveryView): number {
  const given = witnesses.filter(({ node }) => proposes(node)).map(({ node }) => node.spec.discovery?.ttl);
  return Math.max(...(given.length === 0 ? [undefined] : given).map((ttl) => durationMs(ttl ?? DEFAULT_TTL)));
}
