/** The peer table on disk: written whole and durably, some time after a change, so that a busy table is not a busy disk. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import Type from "typebox";
import Value from "typebox/value";
import { checkPeerRecord, SignedPeerRecordSchema } from "../asfp/peer-record.ts";
import { NodeIdSchema } from "../contract/documents.ts";
import { TrustLevelSchema } from "../contract/federation-reports.ts";
import { writeDurably } from "../identity/durable-file.ts";
import type { PeerEntry, PeerTable } from "../peers/peer-table.ts";

const FILE = "peers.json";
const WRITE_AFTER_MS = 5_000;

const KeptPeer = Type.Object({
  node_id: NodeIdSchema,
  signed: Type.Optional(SignedPeerRecordSchema),
  last_worked: Type.Optional(Type.String({ maxLength: 2048 })),
  level: TrustLevelSchema,
  source: Type.Union([Type.Literal("handshake"), Type.Literal("gossip")]),
});
const KeptPeers = Type.Object({ version: Type.Literal(1), peers: Type.Array(KeptPeer) });

/** Those kept in a data folder whose records are still good; none when there is no file, or it cannot be used. */
export async function readKeptPeers(dataDir: string, nowMs: number): Promise<readonly PeerEntry[]> {
  const text = await readFile(join(dataDir, FILE), "utf8").catch(() => "");
  let kept: unknown;
  try {
    kept = JSON.parse(text);
  } catch {
    return [];
  }
  // All of it is learnt again from peers: no reason not to start.
  if (!Value.Check(KeptPeers, kept)) return [];
  return kept.peers.map(({ node_id, signed, last_worked, level, source }) => {
    const isGood = signed !== undefined && !("refused" in checkPeerRecord(signed, nowMs));
    return {
      ...{ nodeId: node_id, signed: isGood ? signed : undefined, lastWorked: last_worked, level, source },
      failure: undefined,
    };
  });
}

/** As commands on a stopped node's folder show it: nobody knows whether it is alive. */
export function keptAsSeen({ nodeId, signed, lastWorked, level }: PeerEntry) {
  const endpoints = [lastWorked, signed?.record.endpoint].filter((endpoint) => endpoint !== undefined);
  return { nodeId, endpoints: [...new Set(endpoints)], state: "unknown" as const, trust: level };
}

export class PeerFile {
  readonly #file: string;
  readonly #table: PeerTable;
  readonly #failed: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(dataDir: string, table: PeerTable, failed: (error: unknown) => void) {
    this.#file = join(dataDir, FILE);
    this.#table = table;
    this.#failed = failed;
    table.onChange(() => this.#soon());
  }

  /** Writes what has changed since. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) this.#write();
    await this.#writing;
  }

  #soon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#write(), WRITE_AFTER_MS);
    this.#timer.unref();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing
      .then(() => writeDurably(this.#file, `${JSON.stringify({ version: 1, peers: this.#table.all().map(kept) })}\n`))
      .catch(this.#failed);
  }
}

function kept({ nodeId, signed, lastWorked, level, source }: PeerEntry) {
  return {
    ...{ node_id: nodeId, level, source },
    ...(signed === undefined ? {} : { signed }),
    ...(lastWorked === undefined ? {} : { last_worked: lastWorked }),
  };
}
