/** What the nodes of a namespace do with one policy. Pure. */
import type { ArchiveNode, SyncPolicy } from "@archivestream/crds";
import type { SyncTarget } from "@archivestream/node/contract";
import type { NodeFacts } from "../facts.ts";
import type { Neighbourhood } from "../federation-content.ts";
import type { FederationReports } from "../federation-facts.ts";
import type { Documents } from "../issued-documents.ts";
import { keyText } from "../objects.ts";
import { isProgrammable, pairsOf, type ResolvedPolicy, selectsNode, selectsPeer } from "../resolved-policies.ts";
import { overlap } from "./conflicts.ts";

export interface PolicyAtNode {
  readonly node: string;
  readonly pairs: number;
  /** Of the document that brought the policy as it is now; 0: before this process. Undefined: not in the document. */
  readonly sequence: number | undefined;
  /** Lowest sequence that any pod uses; undefined while none has answered. */
  readonly observed: number | undefined;
  /** This process has issued a document to the node. */
  readonly isIssued: boolean;
  /** What its pods say of the policy's runs. */
  readonly runs: readonly SyncTarget[];
}

export interface PolicyView {
  readonly policy: ResolvedPolicy;
  readonly nodes: readonly PolicyAtNode[];
  readonly matchedPeers: number;
  readonly conflicts: { readonly pairs: number; readonly winners: readonly string[] };
}

export interface PolicyViewInput {
  readonly neighbourhood: Neighbourhood;
  /** In the order of their names. */
  readonly nodes: readonly ArchiveNode[];
  readonly facts: (node: string) => NodeFacts;
  readonly reports: (node: string) => readonly FederationReports[];
  readonly issued: (uid: string) => Documents | undefined;
}

export function policyViewOf(object: SyncPolicy, input: PolicyViewInput): PolicyView | undefined {
  const { peers, policies } = input.neighbourhood;
  const policy = policies.find(({ uid }) => uid === object.metadata.uid);
  if (policy === undefined) return undefined;
  const matched = input.nodes.filter((node) => selectsNode(policy, node));
  return {
    policy,
    nodes: matched.map((node) => atNode(node, policy, input)),
    matchedPeers: peers.filter((peer) => selectsPeer(policy, peer)).length,
    conflicts: conflictsOf(policy, matched, input.neighbourhood),
  };
}

function atNode(node: ArchiveNode, policy: ResolvedPolicy, input: PolicyViewInput): PolicyAtNode {
  const key = keyText(node.metadata);
  const document = input.issued(node.metadata.uid)?.federation;
  const answered = [...input.facts(key).pods.values()].flatMap((report) =>
    report.state === "answered" ? [report.status.federation.sequence] : [],
  );
  const reported = input.reports(key).flatMap(({ policies }) => policies?.policies ?? []);
  return {
    node: node.metadata.name,
    pairs: pairsOf(policy, node, input.neighbourhood.peers).length,
    sequence: document?.members.get(policy.uid)?.sequence,
    observed: answered.length === 0 ? node.status?.federation?.observedConfigSequence : Math.min(...answered),
    isIssued: document !== undefined,
    runs: reported.filter(({ uid }) => uid === policy.uid).flatMap(({ targets }) => targets),
  };
}

/** Pairs for which policies of higher precedence win at least one collection. */
function conflictsOf(
  policy: ResolvedPolicy,
  nodes: readonly ArchiveNode[],
  { peers, policies }: Neighbourhood,
): PolicyView["conflicts"] {
  if (!isProgrammable(policy)) return { pairs: 0, winners: [] };
  const higher = policies
    .slice(0, policies.indexOf(policy))
    .filter((other) => isProgrammable(other) && overlap(policy, other));
  const winners = new Set<string>();
  let pairs = 0;
  for (const node of nodes) {
    const mine = pairsOf(policy, node, peers);
    const theirs = higher.map((other) => [other.name, new Set(pairsOf(other, node, peers))] as const);
    for (const peer of mine) {
      const winner = theirs.find(([, covered]) => covered.has(peer));
      if (winner === undefined) continue;
      pairs += 1;
      winners.add(winner[0]);
    }
  }
  return { pairs, winners: [...winners].sort() };
}
