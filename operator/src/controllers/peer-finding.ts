/** What the pods of one ArchiveNode find of one peer, taken together. Pure. */
import type { AdminPeers, PeerFailure } from "@archivestream/node/contract";
import type { FederationReports } from "./federation-facts.ts";
import { peersById } from "./report-index.ts";

export type PeerReport = AdminPeers["peers"][number];

export type Finding =
  /** No pod has said anything of it yet. */
  | { readonly state: "unknown" }
  | { readonly state: "connected"; readonly report: PeerReport }
  | { readonly state: "unreachable"; readonly failure: PeerFailure; readonly report: PeerReport };

/** One pod that speaks with the peer is enough. A suspect peer has missed a few probes, which is no outage yet. */
export function findingOf(pods: readonly FederationReports[], nodeID: string): Finding {
  const reports = pods.flatMap(({ peers }) => (peers === undefined ? [] : (peersById(peers).get(nodeID) ?? [])));
  const speaking = reports.find(({ state }) => state === "alive" || state === "suspect");
  if (speaking !== undefined) return { state: "connected", report: speaking };
  const failed = reports.find(({ state, failure }) => failure !== undefined || state === "dead");
  if (failed === undefined) return { state: "unknown" };
  return { state: "unreachable", failure: failed.failure ?? SILENT, report: failed };
}

const SILENT: PeerFailure = { reason: "DialFailed", message: "it stopped answering" };
