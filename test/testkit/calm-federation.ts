/** What pods report while all goes well: made of nothing but the federation document that each was given. */
import type { AdminDiscoveries, AdminPeers, AdminPolicies, FederationDocument } from "@archivestream/node/contract";
import { ADMIN_PATHS } from "@archivestream/node/contract";
import type { PodStandIn } from "./pod-stand-in.ts";

const COLLECTION = "default";

/** Every pod speaks with its peers, has pulled all that its policies want, and has met nobody else. */
export function reportCalm({ reports }: PodStandIn): void {
  reports.set(ADMIN_PATHS.peers, peersReached);
  reports.set(ADMIN_PATHS.policies, policiesDone);
  reports.set(ADMIN_PATHS.discoveries, NOBODY_ELSE);
}

const NOBODY_ELSE: AdminDiscoveries = { discoveries: [], overBudget: false };

function peersReached({ peers }: FederationDocument): AdminPeers {
  return {
    peers: peers
      .filter(({ suspend }) => suspend !== true)
      .map(({ nodeID, endpoints }) => ({
        nodeID,
        state: "alive",
        trust: "proven",
        ...(endpoints[0] === undefined ? {} : { endpoint: endpoints[0] }),
        advertised: {
          protocol: { min: "1.0", max: "1.0" },
          version: "0.1.0",
          capabilities: ["store", "search"],
          endpoints: [...endpoints],
        },
      })),
    addresses: [],
  };
}

function policiesDone({ policies }: FederationDocument): AdminPolicies {
  return {
    policies: policies.map(({ name, uid, peers = [], include = [COLLECTION] }) => ({
      name,
      ...(uid === undefined ? {} : { uid }),
      targets: peers.flatMap((peer) => include.map((collection) => ({ peer, collection, state: "Synced" as const }))),
      targetsOmitted: 0,
    })),
  };
}
