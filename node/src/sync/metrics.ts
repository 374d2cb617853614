/** Metrics of copying files between archives. */
import { Counter, Gauge, type Registry } from "prom-client";
import { MISSING_REASONS, type MissingReason } from "../contract/federation-reports.ts";

/** How a look at what a peer has ended: `failed` when its list could not be read. */
export type RunResult = "synced" | "incomplete" | "failed";
const RESULTS: readonly RunResult[] = ["synced", "incomplete", "failed"];
const REASONS = Object.keys(MISSING_REASONS) as readonly MissingReason[];

/** Files of one direction. */
export interface MovedFiles {
  readonly blob: () => void;
  readonly bytes: (count: number) => void;
}

export interface SyncMetrics {
  readonly sent: MovedFiles;
  readonly received: MovedFiles;
  readonly ran: (result: RunResult) => void;
  /** Asked at each scrape. */
  readonly watchMissing: (count: (reason: MissingReason) => number) => void;
}

export function createSyncMetrics(registry: Registry): SyncMetrics {
  const registers = [registry];
  const blobs = new Counter({
    name: "archivestream_sync_blobs_total",
    help: "Files copied: begun to be sent to a peer, or received whole from one",
    labelNames: ["direction"],
    registers,
  });
  const bytes = new Counter({
    name: "archivestream_sync_bytes_total",
    help: "Bytes of files that went to peers or came from them",
    labelNames: ["direction"],
    registers,
  });
  const runs = new Counter({
    name: "archivestream_sync_runs_total",
    help: "Looks at what a peer has in a collection, by how they ended",
    labelNames: ["result"],
    registers,
  });
  for (const result of RESULTS) runs.inc({ result }, 0);
  let count: (reason: MissingReason) => number = () => 0;
  new Gauge({
    name: "archivestream_sync_missing_files",
    help: "Files that a policy wants and that are not here, by reason",
    labelNames: ["reason"],
    registers,
    collect() {
      for (const reason of REASONS) this.set({ reason }, count(reason));
    },
  });
  const moved = (direction: "sent" | "received"): MovedFiles => {
    blobs.inc({ direction }, 0);
    bytes.inc({ direction }, 0);
    return { blob: () => blobs.inc({ direction }), bytes: (more) => bytes.inc({ direction }, more) };
  };
  return {
    sent: moved("sent"),
    received: moved("received"),
    ran: (result) => runs.inc({ result }),
    watchMissing: (asked) => {
      count = asked;
    },
  };
}
