/** Whether enough pods serve, and if not, what keeps them from it and what to do about that. Pure. */
import type { EffectiveNode } from "./effective.ts";
import type { LeavingPod, ObservedPod, ObservedState } from "./observed.ts";
import { answers } from "./pod-reports.ts";
import { refusalText } from "./refusal.ts";
import { type Decision, unlessStored, verdict } from "./verdict.ts";

/** The stored condition, as far as it says whether a pod was made since. */
export interface AvailableBefore {
  readonly reason: string;
  readonly lastTransitionTime: string;
}

interface AvailableInput {
  readonly node: EffectiveNode;
  readonly observed: ObservedState;
  readonly now: Date;
}

/** A kubelet needs some seconds more than a pod is given to end. */
const OVERDUE_MS = 15_000;

export function availableCondition(
  { node, observed, now }: AvailableInput,
  before: AvailableBefore | undefined,
): Decision {
  const { statefulSet } = observed;
  if (node.sharedEngines)
    return verdict("Available", "False", "PodsNotCreated", "no pod is started; see the Accepted condition");
  if (node.replicas === 0 && (statefulSet?.replicas ?? 0) === 0)
    return verdict(
      "Available",
      "True",
      "Hibernated",
      "spec.replicas is 0: no pod runs, volumes stay; raise it to wake the node",
    );
  if (statefulSet === undefined) return unlessStored("Available", "waiting for the StatefulSet");
  const ready = statefulSet.readyReplicas;
  const message = `${ready} of ${node.replicas} pods ready`;
  if (ready < Math.max(1, node.replicas - 1)) {
    const { reason, why } = whatIsMissing(node.name, observed, { before, now });
    return verdict("Available", "False", reason, `${message}; ${why}`);
  }
  const degraded = answers(observed).find(({ report }) => report.status.phase === "Degraded");
  if (degraded !== undefined)
    return verdict(
      "Available",
      "False",
      "PodsDegraded",
      `pod ${degraded.pod} refuses writes: ${degraded.report.status.message}`,
    );
  return verdict("Available", "True", "MinimumReplicasAvailable", message);
}

interface Missing {
  readonly reason: "PodsStarting" | "PodsNotCreated" | "MinimumReplicasUnavailable";
  readonly why: string;
}

interface Since {
  readonly before: AvailableBefore | undefined;
  readonly now: Date;
}

function whatIsMissing(set: string, observed: ObservedState, { before, now }: Since): Missing {
  const { pods, leavingPods, leavingClaims } = observed;
  const waiting = pods.filter((pod) => !pod.ready);
  if (waiting.length > 0) {
    const reason = waiting.every((pod) => isStarting(pod, before)) ? "PodsStarting" : "MinimumReplicasUnavailable";
    return { reason, why: describePods(waiting) };
  }
  if (pods.length > 0) return { reason: "PodsStarting", why: "waiting for the StatefulSet's count of ready pods" };
  const stuck = leavingPods.find((pod) => now.getTime() > Date.parse(pod.endsBefore) + OVERDUE_MS);
  if (stuck !== undefined) return { reason: "PodsNotCreated", why: stuckText(stuck) };
  const [leaving] = leavingPods;
  if (leaving !== undefined)
    return { reason: "PodsStarting", why: `pod ${leaving.name} is ending, and another is made then` };
  const [claim] = leavingClaims;
  if (claim !== undefined) {
    const why = `no pod is made while claim ${claim.name} is being deleted; kubectl describe pvc ${claim.name} says what still uses it, or which finalizer holds it`;
    return { reason: "PodsNotCreated", why };
  }
  if (observed.refusal !== undefined) return { reason: "PodsNotCreated", why: refusalText(observed.refusal, set) };
  return { reason: "PodsStarting", why: `none is made yet; if it lasts: kubectl describe statefulset ${set}` };
}

/** A pod that was made since the node was available last, and never ended: it deserves the time of a start. */
function isStarting({ trouble, restarted, createdAt }: ObservedPod, before: AvailableBefore | undefined): boolean {
  if (trouble !== "" || restarted) return false;
  return before === undefined || before.reason === "PodsStarting" || createdAt >= before.lastTransitionTime;
}

function describePods(pods: readonly ObservedPod[]): string {
  const [first] = pods;
  if (first === undefined) return "";
  const why = first.trouble === "" ? "is starting" : first.trouble;
  return `pod ${first.name}: ${why}; kubectl describe pod ${pods.map((pod) => pod.name).join(" ")}`;
}

/** Forcing is for machines that are off: while the old pod runs, a second one on the same volume would destroy it. */
function stuckText({ name, endsBefore, finalizers, machine }: LeavingPod): string {
  const text = `pod ${name} should have ended by ${endsBefore} and is still being deleted`;
  if (finalizers.length > 0)
    return `${text}, held by finalizer ${finalizers.join(", ")}; see to whatever set that finalizer`;
  const where = machine === undefined ? "its machine" : `machine ${machine}`;
  return `${text}; see whether ${where} answers: kubectl get nodes; only when that machine is off for certain: kubectl delete pod ${name} --force`;
}
