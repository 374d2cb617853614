/** What the status of a SyncPolicy says of each node. Pure; what is not known yet keeps its stored value. */
import type { SyncPolicyStatus } from "@archivestream/crds";
import type { SyncTarget } from "@archivestream/node/contract";
import type { PolicyAtNode } from "./view.ts";

export type Target = NonNullable<SyncPolicyStatus["targets"]>[number];

/** The gravest first. */
const STATES = ["Failed", "Incomplete", "Syncing", "Pending", "Synced"] as const;

type StoredTarget = Partial<Target>;

/**
 * What the status said of a node. Those that found no room in it come after all that did, so they were at least as well as
 * the last one there: a process that begins has nothing else to go by.
 */
export function storedTargets({
  targets = [],
  targetsOmitted = 0,
}: SyncPolicyStatus): (node: string) => StoredTarget | undefined {
  const byNode = new Map(targets.map((target) => [target.node, target]));
  const last = targets.at(-1);
  const omitted: StoredTarget | undefined =
    targetsOmitted === 0 || last?.state === undefined ? undefined : { state: last.state };
  return (node) => byNode.get(node) ?? omitted;
}

export function targetOf(at: PolicyAtNode, stored: StoredTarget | undefined): Target {
  const isOlder = at.sequence === 0 || (!at.isIssued && stored !== undefined);
  const sequence = isOlder ? (stored?.sequence ?? at.observed) : (at.sequence ?? stored?.sequence);
  const observed = at.observed === undefined || sequence === undefined ? undefined : Math.min(at.observed, sequence);
  return {
    node: at.node,
    ...(sequence === undefined ? {} : { sequence }),
    ...(observed === undefined ? {} : { observed }),
    ...runOf(worstOf(at.runs), stored),
  };
}

/** A run that looks for what is new is no news of an archive that has everything. */
function runOf(worst: SyncTarget | undefined, stored: StoredTarget | undefined): Pick<Target, "state" | "reason"> {
  const isLook = worst?.state === "Syncing" && stored?.state === "Synced";
  const { state, reason } = (worst === undefined || isLook ? stored : worst) ?? {};
  return { ...(state === undefined ? {} : { state }), ...(reason === undefined ? {} : { reason }) };
}

export function isProgrammed({ sequence, observed }: Target): boolean {
  return sequence !== undefined && observed !== undefined && observed >= sequence;
}

/** Problems first, then by name. */
export function byProblem(one: Target, other: Target): number {
  return rank(one) - rank(other) || (one.node < other.node ? -1 : 1);
}

function rank(target: Target): number {
  if (!isProgrammed(target)) return -1;
  return STATES.indexOf(target.state ?? "Pending");
}

function worstOf(runs: readonly SyncTarget[]): SyncTarget | undefined {
  return runs.toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state))[0];
}

export type RunResult = "Succeeded" | "Partial" | "Failed";

/** Undefined while no run has ended. */
export function resultOf(targets: readonly Target[]): RunResult | undefined {
  const ended = targets.flatMap(({ state }) =>
    state === "Synced" || state === "Incomplete" || state === "Failed" ? [state] : [],
  );
  if (ended.length === 0) return undefined;
  if (ended.every((state) => state === "Synced")) return "Succeeded";
  return ended.every((state) => state === "Failed") ? "Failed" : "Partial";
}
