/** What the admin port tells of peers and discoveries. Pure; nothing in it moves while nothing happens. */
import type { AdminDiscoveries, AdminPeers, PeerFailure, PeerState } from "../contract/federation-reports.ts";
import type { PeerEntry } from "../peers/peer-table.ts";
import { type Documents, isNamed } from "./members.ts";

const DEFAULT_MAX_DISCOVERIES = 200;

export interface AskedAddress {
  readonly address: string;
  readonly claims?: string;
  readonly failure?: PeerFailure;
}

export interface Findings {
  readonly entryOf: (nodeId: string) => PeerEntry | undefined;
  readonly stateOf: (nodeId: string) => PeerState;
}

export function peersReport(
  { federation }: Documents,
  { entryOf, stateOf }: Findings,
  addresses: readonly AskedAddress[],
): AdminPeers {
  const peers = (federation?.peers ?? []).map(({ nodeID }) => {
    const entry = entryOf(nodeID);
    const state = stateOf(nodeID);
    return {
      ...{ nodeID, state, trust: entry?.level ?? ("unknown" as const) },
      ...(entry?.lastWorked === undefined ? {} : { endpoint: entry.lastWorked }),
      ...(entry?.failure === undefined || state === "alive" ? {} : { failure: entry.failure }),
      ...advertised(entry),
    };
  });
  return { peers, addresses: [...addresses] };
}

function advertised(entry: PeerEntry | undefined): Pick<AdminPeers["peers"][number], "advertised"> {
  if (entry?.signed === undefined) return {};
  const { versions, program, capabilities, endpoint } = entry.signed.record;
  const inOrder = versions.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return {
    advertised: {
      protocol: { min: inOrder[0] ?? "1.0", max: inOrder.at(-1) ?? "1.0" },
      ...(program === undefined ? {} : { version: program }),
      capabilities: [...capabilities],
      endpoints: [endpoint],
    },
  };
}

/** Whether a node reports discoveries: one without an operator proposes unless its document says otherwise. */
export function isDiscovering({ federation }: Documents, isManaged: boolean): boolean {
  return (federation?.discovery?.mode ?? (isManaged ? "Disabled" : "Propose")) !== "Disabled";
}

/** Peers that proved their key and that no document names, by node id. */
export function discovered(documents: Documents, known: readonly PeerEntry[], ownNodeId: string): readonly PeerEntry[] {
  const denied = new Set([ownNodeId, ...(documents.federation?.discovery?.deny ?? [])]);
  return known
    .filter(({ nodeId, signed, level }) => {
      const isProven = signed !== undefined && (level === "proven" || level === "verified");
      return isProven && !denied.has(nodeId) && !isNamed(documents, nodeId);
    })
    .toSorted((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
}

export function discoveriesReport(documents: Documents, found: readonly PeerEntry[]): AdminDiscoveries {
  const most = documents.federation?.discovery?.maxPeers ?? DEFAULT_MAX_DISCOVERIES;
  return {
    discoveries: found.slice(0, most).flatMap(({ nodeId, signed, lastWorked, source }) => {
      if (signed === undefined) return [];
      const { endpoint, capabilities } = signed.record;
      const endpoints = [...new Set([...(lastWorked === undefined ? [] : [lastWorked]), endpoint])];
      return [{ nodeID: nodeId, endpoints, capabilities: [...capabilities], source }];
    }),
    overBudget: found.length > most,
  };
}
