/**
 * What our objects say of themselves, counted at each scrape: conditions, peers, how far trust documents have come.
 *
 * Every replica has the objects, so every replica shows these series: dashboards take the maximum, not the sum.
 */
import {
  ARCHIVE_NODE_CONDITIONS,
  type ArchiveNode,
  FEDERATION_PEER_CONDITIONS,
  type FederationPeer,
  SYNC_POLICY_CONDITIONS,
  type SyncPolicy,
} from "@archivestream/crds";
import { Gauge, type Registry } from "prom-client";

export interface CountedObjects {
  readonly archiveNodes: () => readonly ArchiveNode[];
  readonly federationPeers: () => readonly FederationPeer[];
  readonly syncPolicies: () => readonly SyncPolicy[];
}

interface Conditioned {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[] | undefined;
  };
}

const STATUSES = ["True", "False", "Unknown"] as const;
const ORIGINS = ["Authored", "Discovered"] as const;
const ADMISSIONS = ["Approved", "Pending", "Blocked"] as const;

export function createObjectMetrics(registry: Registry, objects: CountedObjects): void {
  countConditions(registry, objects);
  countPeers(registry, objects);
  followTrust(registry, objects);
}

function countConditions(registry: Registry, objects: CountedObjects): void {
  const kinds = [
    ["ArchiveNode", Object.keys(ARCHIVE_NODE_CONDITIONS), objects.archiveNodes],
    ["FederationPeer", Object.keys(FEDERATION_PEER_CONDITIONS), objects.federationPeers],
    ["SyncPolicy", Object.keys(SYNC_POLICY_CONDITIONS), objects.syncPolicies],
  ] as const satisfies readonly (readonly [string, readonly string[], () => readonly Conditioned[]])[];
  new Gauge({
    name: "archivestream_condition",
    help: "Objects by condition; one that has no Ready yet counts as Unknown",
    labelNames: ["kind", "type", "status"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [kind, types, list] of kinds) {
        for (const type of types) for (const status of STATUSES) this.set({ kind, type, status }, 0);
        for (const { type, status } of list().flatMap(shownConditions)) this.inc({ kind, type, status });
      }
    },
  });
}

function shownConditions({ status }: Conditioned): readonly { readonly type: string; readonly status: string }[] {
  const conditions = status?.conditions ?? [];
  const hasReady = conditions.some((condition) => condition.type === "Ready");
  return hasReady ? conditions : [...conditions, { type: "Ready", status: "Unknown" }];
}

function countPeers(registry: Registry, { federationPeers }: CountedObjects): void {
  new Gauge({
    name: "archivestream_peers",
    help: "FederationPeers by who wrote them, whether they are let in, and whether they are ready",
    labelNames: ["origin", "admission", "ready"],
    registers: [registry],
    collect() {
      this.reset();
      for (const labels of PEER_LABELS) this.set({ ...labels }, 0);
      for (const peer of federationPeers()) this.inc(peerLabels(peer));
    },
  });
}

const PEER_LABELS = ORIGINS.flatMap((origin) =>
  ADMISSIONS.flatMap((admission) => STATUSES.map((ready) => ({ origin, admission, ready }))),
);

function peerLabels(peer: FederationPeer): { origin: string; admission: string; ready: string } {
  const { origin = "Authored" } = peer.spec;
  const { admission = origin === "Authored" ? "Approved" : "Pending" } = peer.spec;
  const ready = shownConditions(peer).find((condition) => condition.type === "Ready")?.status ?? "Unknown";
  return { origin, admission, ready };
}

/** One series per node, unlike all others: a lag is of one node, and that is the one to look at. */
function followTrust(registry: Registry, { archiveNodes }: CountedObjects): void {
  const sequence = (name: string, help: string, of: (node: ArchiveNode) => number | undefined) =>
    new Gauge({
      name,
      help,
      labelNames: ["node"],
      registers: [registry],
      collect() {
        this.reset();
        for (const node of archiveNodes()) {
          const value = of(node);
          if (value !== undefined) this.set({ node: `${node.metadata.namespace}/${node.metadata.name}` }, value);
        }
      },
    });
  sequence(
    "archivestream_trust_sequence",
    "Sequence of the trust document in force",
    (node) => node.status?.trust?.sequence,
  );
  sequence(
    "archivestream_trust_observed_sequence",
    "Sequence that all pods of the node have",
    (node) => node.status?.trust?.observedSequence,
  );
}
