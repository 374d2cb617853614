/** The status of a SyncPolicy. Pure; every negative message says what to do next. */
import type { ConditionStatus, SyncPolicyConditionType, SyncPolicyReason, SyncPolicyStatus } from "@archivestream/crds";
import { mergeConditions, type Verdict, wholeSeconds } from "../kstatus.ts";
import { byProblem, isProgrammed, resultOf, storedTargets, type Target, targetOf } from "./targets.ts";
import type { PolicyView } from "./view.ts";

export interface PolicyStatusInput extends PolicyView {
  readonly notImplemented: readonly string[];
  readonly now: Date;
}

type Given = Verdict<SyncPolicyConditionType>;
type Decision = Given | { readonly type: SyncPolicyConditionType; readonly keep: Given };

const TARGETS_SHOWN = 32;

export function policyStatus(input: PolicyStatusInput): SyncPolicyStatus {
  const { metadata, status: stored = {} } = input.policy.object;
  const context = { generation: metadata.generation ?? 0, now: input.now };
  const before = stored.conditions ?? [];
  const targetBefore = storedTargets(stored);
  const acting = input.nodes.filter(({ pairs }) => pairs > 0);
  const isActive = input.policy.refused === undefined && input.policy.object.spec.suspend !== true;
  const targets = isActive ? acting.map((at) => targetOf(at, targetBefore(at.node))).sort(byProblem) : [];
  const merged = mergeConditions<SyncPolicyConditionType>(before, decide(input, targets), context);
  const ready = readyOf(input, merged);
  const summary: Given[] = [
    ready,
    ...(ready.status === "Unknown" || ready.message.includes("lags")
      ? [verdict("Reconciling", "True", "Progressing", ready.message)]
      : []),
  ];
  const { lastRun: lastBefore, ...rest } = stored;
  const lastRun = lastRunOf(targets, lastBefore, input.now);
  return {
    ...rest,
    observedGeneration: context.generation,
    matched: {
      nodes: input.nodes.length,
      peers: input.matchedPeers,
      pairs: input.nodes.reduce((sum, { pairs }) => sum + pairs, 0),
    },
    programmed: { nodes: targets.filter(isProgrammed).length },
    conflicts: { pairs: input.conflicts.pairs },
    targets: targets.slice(0, TARGETS_SHOWN),
    targetsOmitted: Math.max(0, targets.length - TARGETS_SHOWN),
    ...(lastRun === undefined ? {} : { lastRun }),
    conditions: [...merged, ...mergeConditions<SyncPolicyConditionType>(before, summary, context)],
  };
}

function lastRunOf(targets: readonly Target[], before: SyncPolicyStatus["lastRun"], now: Date) {
  const result = resultOf(targets);
  if (result === undefined || result === before?.result) return before;
  return { result, since: wholeSeconds(now) };
}

function decide(input: PolicyStatusInput, targets: readonly Target[]): Decision[] {
  const { policy, conflicts } = input;
  const [winner] = conflicts.winners;
  return [
    acceptedCondition(input),
    resolvedCondition(input),
    programmedCondition(input, targets),
    ...(winner === undefined
      ? []
      : [
          verdict(
            "Conflicted",
            "True",
            "LowerPrecedence",
            `SyncPolicy ${conflicts.winners.join(", ")} wins for ${conflicts.pairs} pairs of node and peer; raise spec.priority or narrow the selectors`,
          ),
        ]),
    ...(policy.object.spec.suspend === true
      ? [verdict("Suspended", "True", "SuspendedByUser", "no run begins; set spec.suspend to false to go on")]
      : []),
  ];
}

function acceptedCondition({ policy, notImplemented }: PolicyStatusInput): Given {
  if (policy.refused !== undefined) return verdict("Accepted", "False", policy.refused.reason, policy.refused.message);
  if (notImplemented.length === 0)
    return verdict("Accepted", "True", "Accepted", "every field of the spec is acted on");
  const message = `this release does nothing yet for ${notImplemented.join(", ")}; remove them, or leave them for a later release`;
  return verdict("Accepted", "True", "NotImplementedFields", message);
}

function resolvedCondition({ nodes, matchedPeers }: PolicyStatusInput): Given {
  if (nodes.length === 0)
    return verdict(
      "ResolvedRefs",
      "False",
      "NoMatchingNode",
      "spec.nodeSelector matches no ArchiveNode; correct it or label one",
    );
  if (matchedPeers === 0)
    return verdict(
      "ResolvedRefs",
      "False",
      "NoMatchingPeer",
      "spec.peerSelector matches no FederationPeer; correct it or label one",
    );
  return verdict("ResolvedRefs", "True", "Resolved", `${nodes.length} nodes and ${matchedPeers} peers`);
}

function programmedCondition({ policy, nodes }: PolicyStatusInput, targets: readonly Target[]): Decision {
  const no = (reason: SyncPolicyReason<"Programmed">, message: string) =>
    verdict("Programmed", "False", reason, message);
  if (policy.refused !== undefined) return no("NotAccepted", policy.refused.message);
  if (policy.object.spec.suspend === true) return no("Suspended", "spec.suspend is true; set it to false to go on");
  if (targets.length === 0)
    return no("NoPairs", "no matched node trusts a matched peer; see kubectl get fpeer for why");
  if (nodes.some(({ pairs, isIssued, observed }) => pairs > 0 && (!isIssued || observed === undefined)))
    return {
      type: "Programmed",
      keep: verdict("Programmed", "Unknown", "Pending", "waiting for the nodes to say what they use"),
    };
  const lagging = targets.find((target) => !isProgrammed(target));
  if (lagging !== undefined)
    return no(
      "Propagating",
      `ArchiveNode ${lagging.node} lags: it has not taken the policy yet; it follows within two minutes`,
    );
  return verdict("Programmed", "True", "Programmed", `every matched node has taken it (${targets.length})`);
}

function readyOf(
  { policy }: PolicyStatusInput,
  conditions: readonly { type: string; status: string; message: string }[],
): Given {
  const of = (type: SyncPolicyConditionType) => conditions.find((one) => one.type === type);
  const no = (reason: SyncPolicyReason<"Ready">, type: SyncPolicyConditionType) =>
    verdict("Ready", "False", reason, of(type)?.message ?? "");
  if (of("Accepted")?.status === "False") return no("NotAccepted", "Accepted");
  if (policy.object.spec.suspend === true) return no("Suspended", "Suspended");
  if (of("ResolvedRefs")?.status === "False") return no("NotResolved", "ResolvedRefs");
  if (of("Programmed")?.status === "False") return no("NotProgrammed", "Programmed");
  if (of("Programmed")?.status !== "True")
    return verdict("Ready", "Unknown", "Pending", of("Programmed")?.message ?? "waiting");
  return verdict("Ready", "True", "Ready", "every matched node runs it");
}

function verdict<T extends SyncPolicyConditionType>(
  type: T,
  status: ConditionStatus,
  reason: SyncPolicyReason<T> & string,
  message: string,
): Verdict<T> {
  return { type, status, reason, message };
}
