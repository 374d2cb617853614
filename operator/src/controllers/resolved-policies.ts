/**
 * What the SyncPolicies of one namespace mean, in order of precedence: higher priority, then older, then name. Pure.
 *
 * The API stores no defaults, so this file is the only place that knows those of a SyncPolicy.
 */
import type { ArchiveNode, SyncPolicy } from "@archivestream/crds";
import type { PolicyEntry } from "@archivestream/node/contract";
import { matchesLabels } from "./label-selector.ts";
import { neverBegins, type Rhythm, rhythmOf } from "./policy-rhythm.ts";
import { quantityBytes } from "./quantity.ts";
import { isApproved, peersWith, type ResolvedPeer } from "./resolved-peers.ts";

export interface ResolvedPolicy {
  readonly object: SyncPolicy;
  readonly name: string;
  readonly uid: string;
  readonly rhythm: Rhythm | undefined;
  /** Why nothing is programmed, in words that name the field. */
  readonly refused: { readonly reason: "NotImplementedValue" | "InvalidSpec"; readonly message: string } | undefined;
}

/** Those being deleted are left out. */
export function resolvePolicies(policies: readonly SyncPolicy[]): readonly ResolvedPolicy[] {
  return policies
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(resolvePolicy)
    .sort(byPrecedence);
}

export function selectsNode({ object }: ResolvedPolicy, { metadata }: ArchiveNode): boolean {
  const { nodeSelector } = object.spec;
  return nodeSelector !== undefined && matchesLabels(nodeSelector, metadata.labels);
}

export function selectsPeer({ object }: ResolvedPolicy, peer: ResolvedPeer): boolean {
  const { peerSelector } = object.spec;
  return peerSelector !== undefined && matchesLabels(peerSelector, peer.object.metadata.labels);
}

/** Peers that a node pulls from by this policy: those it trusts and connects to. */
export function pairsOf(
  policy: ResolvedPolicy,
  node: ArchiveNode,
  peers: readonly ResolvedPeer[],
): readonly (ResolvedPeer & { readonly nodeID: string })[] {
  if (!selectsNode(policy, node)) return [];
  return peers.filter(isApproved).filter((peer) => peersWith(node, peer) && selectsPeer(policy, peer));
}

/** Runs by what it asks for, and no more than it asks for. */
export function isProgrammable(policy: ResolvedPolicy): boolean {
  return policy.refused === undefined && policy.object.spec.suspend !== true;
}

/** The policy as one node is given it; undefined when there is nobody to pull from. */
export function policyEntry(
  policy: ResolvedPolicy,
  node: ArchiveNode,
  peers: readonly ResolvedPeer[],
): PolicyEntry | undefined {
  if (!isProgrammable(policy) || policy.rhythm === undefined) return undefined;
  const from = pairsOf(policy, node, peers).map(({ nodeID }) => nodeID);
  if (from.length === 0) return undefined;
  const { collections, limits } = policy.object.spec;
  return {
    name: policy.name,
    uid: policy.uid,
    peers: from.toSorted(),
    ...names("include", collections?.include),
    ...names("exclude", collections?.exclude),
    ...policy.rhythm,
    ...(limits?.maxItemSize === undefined
      ? {}
      : { maxItemBytes: Math.max(1, Math.floor(quantityBytes(limits.maxItemSize))) }),
  };
}

function names(field: "include" | "exclude", given: readonly string[] | undefined) {
  return given === undefined || given.length === 0 ? {} : { [field]: given.toSorted() };
}

function resolvePolicy(object: SyncPolicy): ResolvedPolicy {
  const rhythm = rhythmOf(object.spec);
  return {
    object,
    name: object.metadata.name,
    uid: object.metadata.uid,
    rhythm,
    refused: refusal(object.spec, rhythm),
  };
}

function refusal(spec: SyncPolicy["spec"], rhythm: Rhythm | undefined): ResolvedPolicy["refused"] {
  const values = [
    ...(spec.direction === undefined || spec.direction === "Pull" ? [] : [`spec.direction=${spec.direction}`]),
    ...(spec.mode === "DryRun" ? ["spec.mode=DryRun"] : []),
  ];
  if (values.length > 0)
    return {
      reason: "NotImplementedValue",
      message: `this release cannot do ${values.join(", ")}, so nothing is programmed; use direction Pull and mode Enforce, or leave it for a later release`,
    };
  if (rhythm?.schedule !== undefined && neverBegins(rhythm.schedule))
    return {
      reason: "InvalidSpec",
      message: `spec.schedule is ${spec.schedule}, at which no run ever begins; write ranges upwards (1-5), steps shorter than their field, and days that the months have`,
    };
  if (rhythm !== undefined) return undefined;
  return {
    reason: "InvalidSpec",
    message: `spec.schedule is ${spec.schedule}; write five fields, or @hourly, @daily, @weekly, @monthly or @yearly`,
  };
}

function byPrecedence(one: ResolvedPolicy, other: ResolvedPolicy): number {
  const [high, low] = [one.object.spec.priority ?? 0, other.object.spec.priority ?? 0];
  if (high !== low) return low - high;
  const [a, b] = [one.object.metadata.creationTimestamp ?? "", other.object.metadata.creationTimestamp ?? ""];
  if (a !== b) return a < b ? -1 : 1;
  return one.name < other.name ? -1 : 1;
}
