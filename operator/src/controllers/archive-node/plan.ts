/** From spec and observation to everything that should exist, what should not, and what to do about volumes. Pure. */

import type { Documents } from "../issued-documents.ts";
import { type EffectiveNode, type OperatorSettings, storageProblem } from "./effective.ts";
import type { ObservedState } from "./observed.ts";
import { configConfigMap, federationConfigMap } from "./resources/config-maps.ts";
import type { Child } from "./resources/metadata.ts";
import { networkPolicy } from "./resources/network-policy.ts";
import { podDisruptionBudget } from "./resources/pod-disruption-budget.ts";
import { serviceAccount } from "./resources/service-account.ts";
import { serviceMonitor } from "./resources/service-monitor.ts";
import { clientService, headlessService } from "./resources/services.ts";
import { statefulSet } from "./resources/stateful-set.ts";
import { trustSecret } from "./resources/trust-secret.ts";
import { claimTemplateFor, planGrowth, type VolumeGrowth } from "./volume-growth.ts";

export interface Plan {
  /** What pods need: independent of each other, and all of it before the pods. */
  readonly apply: readonly Child[];
  /** The StatefulSet; undefined while it must not be applied. */
  readonly pods: Child | undefined;
  /** Optional children that the spec does not ask for (any more); absent ones included. */
  readonly remove: readonly Child[];
  readonly growth: VolumeGrowth;
}

export interface PlanInput {
  readonly node: EffectiveNode;
  readonly observed: ObservedState;
  readonly documents: Documents;
  /** On which peers, seeds and addresses answer. */
  readonly peerPorts?: readonly number[];
  readonly settings: OperatorSettings;
}

export function plan({ node, observed, documents, settings, peerPorts }: PlanInput): Plan {
  const growth = planGrowth(node.storage, observed);
  const optional: readonly (readonly [wanted: boolean, child: Child])[] = [
    [node.spec.podTemplate?.serviceAccountName === undefined, serviceAccount(node)],
    [node.spec.networkPolicy?.mode !== "Disabled", networkPolicy(node, settings, peerPorts)],
    [runningReplicas(node) > 1, podDisruptionBudget(node)],
    ...(observed.serviceMonitorExists
      ? ([[node.spec.monitoring?.mode !== "Disabled", serviceMonitor(node)]] as const)
      : []),
  ];
  const always = [
    configConfigMap(node, documents.configText),
    federationConfigMap(node, documents.federation),
    trustSecret(node, documents.trust),
    headlessService(node),
    clientService(node),
  ];
  return {
    apply: [...optional.filter(([wanted]) => wanted).map(([, child]) => child), ...always],
    // Volumes that are too small are not made; those that exist keep their pods.
    pods:
      mayApplyStatefulSet(growth) && (observed.statefulSet !== undefined || storageProblem(node) === undefined)
        ? statefulSetOf({ node, observed, documents }, growth)
        : undefined,
    remove: optional.filter(([wanted]) => !wanted).map(([, child]) => child),
    growth,
  };
}

/** A StatefulSet that is being removed to come back larger must be gone before its successor is applied. */
function mayApplyStatefulSet(growth: VolumeGrowth): boolean {
  return growth.step !== "replace-stateful-set" && growth.step !== "await-removal";
}

function statefulSetOf({ node, observed, documents }: Omit<PlanInput, "settings">, growth: VolumeGrowth): Child {
  return statefulSet({
    node,
    configDigest: documents.configDigest,
    replicas: runningReplicas(node),
    claim: claimTemplateFor(node.storage, observed, growth),
  });
}

/** Pods to run: none for a node that asks for engines which this release cannot use. */
export function runningReplicas(node: EffectiveNode): number {
  return node.sharedEngines ? 0 : node.replicas;
}
