/** What an ArchiveNode's status says of its peers and policies. Pure. */
import type { ArchiveNode, ArchiveNodeStatus } from "@archivestream/crds";
import { type AllowedIds, maxDiscoveredPeers, type Neighbourhood, type NodeFederation } from "../federation-content.ts";
import type { FederationReports } from "../federation-facts.ts";
import type { Verdict } from "../kstatus.ts";
import { type Finding, findingOf } from "../peer-finding.ts";
import { isApproved, peersWith } from "../resolved-peers.ts";
import { type Decision, unlessStored, verdict } from "./verdict.ts";

export interface PeeringInput {
  readonly node: ArchiveNode;
  readonly neighbourhood: Neighbourhood;
  readonly federation: NodeFederation;
  readonly allowed: AllowedIds;
  readonly reports: readonly FederationReports[];
  /** More peers are offered than `spec.discovery.maxPeers`; undefined while no pod has said. */
  readonly isOverBudget: boolean | undefined;
}

export interface Peering {
  readonly counts: NonNullable<NonNullable<ArchiveNodeStatus["federation"]>["peers"]>;
  readonly policies: Pick<ArchiveNodeStatus, "policies" | "policiesTotal">;
  readonly reachable: Decision<"PeersReachable">;
  readonly trustProblem: Decision<"TrustSynced"> | undefined;
  /** Peers were offered that no room is left for. */
  readonly discoveryStalled: Verdict<"Stalled"> | undefined;
}

/** As many as the status holds. */
const POLICIES_SHOWN = 16;
const NAMES_SHOWN = 5;

export function peeringOf(input: PeeringInput): Peering {
  const { node, neighbourhood, federation, allowed, reports } = input;
  const mine = neighbourhood.peers.filter((peer) => peer.shadowedBy === undefined && peersWith(node, peer));
  const trusted = new Set(federation.trust.entries.map(({ nodeID }) => nodeID));
  const approved = mine.filter(isApproved);
  const dialled = approved.filter(({ object, nodeID }) => object.spec.suspend !== true && trusted.has(nodeID));
  const findings = dialled.map(({ name, nodeID }) => ({ name, finding: findingOf(reports, nodeID) }));
  const isKnown = findings.every(({ finding }) => finding.state !== "unknown");
  const ready = findings.filter(({ finding }) => finding.state === "connected").length;
  return {
    counts: {
      total: approved.length,
      ready: isKnown ? ready : (node.status?.federation?.peers?.ready ?? ready),
      blocked: mine.filter(({ admission }) => admission === "Blocked").length,
      discovered: mine.filter(({ origin }) => origin === "Discovered").length,
    },
    policies: {
      policies: federation.policies.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(0, POLICIES_SHOWN),
      policiesTotal: federation.policies.length,
    },
    reachable: reachableCondition(findings),
    trustProblem: trustProblem(federation, allowed),
    discoveryStalled: discoveryStalled(input),
  };
}

function discoveryStalled({ node, isOverBudget }: PeeringInput): Verdict<"Stalled"> | undefined {
  const isToldSo = node.status?.conditions?.some(({ reason }) => reason === "DiscoveryBudgetExceeded") ?? false;
  // A node that sleeps is offered nothing.
  if (node.spec.replicas === 0 || !(isOverBudget ?? isToldSo)) return undefined;
  const message = `more peers are offered than spec.discovery.maxPeers (${maxDiscoveredPeers(node)}) has room for, and no further FederationPeer is made; raise it, or name those that you do not want in spec.discovery.deny`;
  return verdict("Stalled", "True", "DiscoveryBudgetExceeded", message);
}

function reachableCondition(
  findings: readonly { readonly name: string; readonly finding: Finding }[],
): Decision<"PeersReachable"> {
  if (findings.length === 0)
    return verdict(
      "PeersReachable",
      "True",
      "NoPeers",
      "no approved peer to connect to; create a FederationPeer to join a federation",
    );
  if (findings.some(({ finding }) => finding.state === "unknown"))
    return unlessStored("PeersReachable", "waiting for the pods to say whom they reach");
  const lost = findings.filter(({ finding }) => finding.state === "unreachable").map(({ name }) => name);
  if (lost.length === 0)
    return verdict("PeersReachable", "True", "AllReachable", `${findings.length} of ${findings.length} peers answer`);
  const shown = lost.toSorted().slice(0, NAMES_SHOWN).join(" ");
  const more = lost.length > NAMES_SHOWN ? ` and ${lost.length - NAMES_SHOWN} more` : "";
  const message = `${findings.length - lost.length} of ${findings.length} peers answer; kubectl describe fpeer ${shown}${more}`;
  return verdict(
    "PeersReachable",
    "False",
    lost.length === findings.length ? "NoneReachable" : "SomeUnreachable",
    message,
  );
}

function trustProblem({ trust }: NodeFederation, { problem }: AllowedIds): Decision<"TrustSynced"> | undefined {
  if (trust.refused > 0) {
    const message = `${trust.refused} of ${trust.entries.length + trust.refused} peers found no room in the trust document; shorten the lists of spec.trust.allowListRefs`;
    return verdict("TrustSynced", "False", "TooManyEntries", message);
  }
  return problem === undefined ? undefined : verdict("TrustSynced", "False", problem.reason, problem.message);
}
