/** The reports of gossip, made again only when something in them may have changed: the same object means the same report. */
import type { AdminDiscoveries, AdminPeers } from "../contract/federation-reports.ts";
import type { PeerEntry, PeerTable } from "../peers/peer-table.ts";
import type { Gossip } from "./gossip.ts";
import type { Documents } from "./members.ts";
import { discovered, discoveriesReport, isDiscovering, peersReport } from "./reports.ts";

interface ReportParts {
  readonly gossip: Pick<Gossip, "version" | "addresses" | "stateOf">;
  readonly table: PeerTable;
  readonly documents: () => Documents;
  readonly ownNodeId: () => string;
  readonly isManaged: boolean;
}

/** A peer as the command line shows it. */
export interface SeenPeer {
  readonly nodeId: string;
  readonly endpoints: readonly string[];
  readonly state: ReturnType<Gossip["stateOf"]>;
  readonly trust: PeerEntry["level"];
}

export class GossipReports {
  readonly #parts: ReportParts;
  readonly peers: () => AdminPeers;
  readonly discoveries: () => AdminDiscoveries;

  constructor(parts: ReportParts) {
    this.#parts = parts;
    const { gossip, table, documents } = parts;
    const findings = { entryOf: (nodeId: string) => table.get(nodeId), stateOf: gossip.stateOf };
    this.peers = this.#kept(() => peersReport(documents(), findings, gossip.addresses.report));
    this.discoveries = this.#kept(() => discoveriesReport(documents(), this.#discovered()));
  }

  /** Peers of the documents and discovered ones. */
  seen(): readonly SeenPeer[] {
    const { table, gossip, documents } = this.#parts;
    const discoveredIds = new Set(this.#discovered().map(({ nodeId }) => nodeId));
    const named = namedIds(documents());
    return table
      .all()
      .filter(({ nodeId }) => named.has(nodeId) || discoveredIds.has(nodeId))
      .map(({ nodeId, lastWorked, signed, level }) => ({
        nodeId,
        endpoints: [...new Set([lastWorked, signed?.record.endpoint].filter((endpoint) => endpoint !== undefined))],
        state: gossip.stateOf(nodeId),
        trust: level,
      }));
  }

  #discovered(): readonly PeerEntry[] {
    const { documents, table, ownNodeId, isManaged } = this.#parts;
    return isDiscovering(documents(), isManaged) ? discovered(documents(), table.all(), ownNodeId()) : [];
  }

  #kept<T>(make: () => T): () => T {
    let before: { readonly of: string; readonly report: T } | undefined;
    return () => {
      const { trust, federation } = this.#parts.documents();
      const of = `${this.#parts.gossip.version} ${trust?.sequence ?? 0} ${federation?.sequence ?? 0}`;
      if (before?.of !== of) before = { of, report: make() };
      return before.report;
    };
  }
}

function namedIds({ trust, federation }: Documents): ReadonlySet<string> {
  const entries = [...(federation?.peers ?? []), ...(trust?.entries ?? [])];
  return new Set([...entries.map(({ nodeID }) => nodeID), ...(trust?.revoked ?? [])]);
}
