/** What several archives found as the answer that a user sees, with what became of each of them. Pure. */
import type { AskedArchive, FederatedAnswer, FederatedRequest, SearchHit } from "../archive/archive.ts";
import type { Merged } from "./merge.ts";
import type { Asked } from "./peer-outcome.ts";
import type { PeerSearchStatus } from "./peer-selection.ts";

export interface ArchiveLine {
  readonly nodeId: string;
  readonly status: PeerSearchStatus;
  readonly tookMs?: number;
  readonly returned?: number;
  readonly used?: number;
  readonly documents?: number | undefined;
}

export function archiveLine(line: ArchiveLine): AskedArchive {
  const { nodeId, status, tookMs = 0, returned = 0, used = 0, documents } = line;
  return {
    node_id: nodeId,
    status,
    took_ms: tookMs,
    returned,
    used,
    ...(documents === undefined ? {} : { documents }),
  };
}

/** Everybody who could answer. */
export interface Archives {
  readonly self: string;
  readonly own: Asked;
  readonly asked: readonly (readonly [nodeId: string, Asked])[];
  readonly others: readonly AskedArchive[];
  readonly documentsOf: (nodeId: string) => number | undefined;
}

export function toAnswer(
  { offset, limit }: FederatedRequest,
  merged: Merged,
  { self, own, asked, others, documentsOf }: Archives,
): Omit<FederatedAnswer, "tookMs"> {
  const hits = merged.hits
    .slice(offset, offset + limit)
    .map(({ sources, ...hit }): SearchHit & { sources: string[] } => ({
      ...hit,
      sources: [...sources],
    }));
  const lineOf = (nodeId: string, { status, tookMs, leaf }: Asked): AskedArchive => {
    const used = hits.filter(({ sources }) => sources.includes(nodeId)).length;
    const returned = leaf?.hits.filter(({ shown }) => shown !== undefined).length ?? 0;
    return archiveLine({ ...{ nodeId, status, tookMs, returned, used }, documents: documentsOf(nodeId) });
  };
  const local = lineOf(self, own);
  const lines = asked.map(([nodeId, outcome]) => lineOf(nodeId, outcome));
  const answered = asked.filter(([, { leaf }]) => leaf !== undefined).length;
  const partial = lines.filter(({ status }) => status === "partial").length;
  const isPart = [local, ...lines].some(({ status }) => status !== "ok") || others.length > 0;
  const peers = [...lines, ...others];
  return {
    hits,
    total: merged.total,
    totalIsLowerBound: merged.totalIsLowerBound || isPart,
    facets: merged.facets,
    ranking: "approximate",
    coverage: {
      ...{ documents: documentsCovered([local, ...peers]), local },
      peers: { selected: asked.length, answered, partial, failed: asked.length - answered },
    },
    peers,
  };
}

/** Rounded down, so that 1 means all. */
const SHARES = 1_000;

/**
 * Documents of the archives that answered as part of those of all archives whose number is known. Copies count once for
 * each archive that holds them.
 */
export function documentsCovered(archives: readonly AskedArchive[]): number {
  const sum = (some: readonly AskedArchive[]): number => some.reduce((all, { documents = 0 }) => all + documents, 0);
  const answered = archives.filter(({ status }) => status === "ok" || status === "partial");
  const known = sum(archives);
  if (known === 0) return answered.length === archives.length ? 1 : 0;
  return Math.floor((sum(answered) / known) * SHARES) / SHARES;
}
