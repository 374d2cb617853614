/**
 * What pods said last of their peers, policies and discoveries: a board in memory beside that of `facts.ts`.
 *
 * A page that no pod has given yet is absent, and an absent page changes nothing in a status.
 */
import type { AdminDiscoveries, AdminPeers, AdminPolicies } from "@archivestream/node/contract";

export interface FederationReports {
  readonly peers?: AdminPeers;
  readonly policies?: AdminPolicies;
  readonly discoveries?: AdminDiscoveries;
}

export type ReportPage = keyof FederationReports;

/** Told of every page that says something new; `before` is what it said until now. */
export type ReportChanged = (node: string, page: ReportPage, now: FederationReports, before: FederationReports) => void;

const NO_PODS: ReadonlyMap<string, FederationReports> = new Map();
const NOTHING: FederationReports = {};

export class FederationBoard {
  /** By `namespace/name` of the node, then by pod name. */
  readonly #nodes = new Map<string, ReadonlyMap<string, FederationReports>>();
  readonly #changed: ReportChanged;

  constructor(changed: ReportChanged) {
    this.#changed = changed;
  }

  /** Reports of a node's pods, in the order of their names. */
  of(node: string): readonly FederationReports[] {
    const pods = this.#nodes.get(node) ?? NO_PODS;
    return [...pods].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, reports]) => reports);
  }

  put(node: string, pod: string, page: ReportPage, report: FederationReports[ReportPage]): void {
    const pods = this.#nodes.get(node) ?? NO_PODS;
    const before = pods.get(pod) ?? NOTHING;
    if (JSON.stringify(before[page]) === JSON.stringify(report)) return;
    const now = { ...before, [page]: report };
    this.#nodes.set(node, new Map(pods).set(pod, now));
    this.#changed(node, page, now, before);
  }

  /** A pod that is gone says nothing any more; what it said is no news until another one says something else. */
  dropPod(node: string, pod: string): void {
    const pods = new Map(this.#nodes.get(node));
    if (!pods.delete(pod)) return;
    if (pods.size === 0) this.#nodes.delete(node);
    else this.#nodes.set(node, pods);
  }

  forget(node: string): void {
    this.#nodes.delete(node);
  }
}
