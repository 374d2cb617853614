/** Metrics of the full-text index: how far it is behind the archive, what it could not index, how often its thread failed. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { IndexerEvent } from "./indexer.ts";

export interface FullTextMetrics {
  /** A blob was committed to the archive. Its sequence number is remembered until it is searchable. */
  committed(sequence: number): void;
  /** Give every event of the indexer. */
  observe(event: IndexerEvent): void;
  /** The indexer's thread ended by itself. */
  restarted(): void;
}

/** Blobs whose commit is remembered; when full, further ones are indexed without being measured. */
const MAX_PENDING = 100_000;

/**
 * Registers the metrics.
 *
 * @param nowMs - monotonic clock, milliseconds
 */
export function createFullTextMetrics(registry: Registry, nowMs: () => number): FullTextMetrics {
  const registers = [registry];
  const lag = new Histogram({
    name: "archivestream_index_lag_seconds",
    help: "From the commit of a file to its pages being searchable; files committed before this start are not measured",
    buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1_800, 7_200],
    registers,
  });
  const blobs = new Counter({
    name: "archivestream_index_files_total",
    help: "Files whose pages were put into the full-text index, by outcome",
    labelNames: ["outcome"],
    registers,
  });
  for (const outcome of ["indexed", "failed"]) blobs.inc({ outcome }, 0);
  const restarts = new Counter({
    name: "archivestream_index_restarts_total",
    help: "Times the indexer's thread ended by itself and was started again",
    registers,
  });
  const pending = new Map<number, number>();
  new Gauge({
    name: "archivestream_index_pending_files",
    help: "Files committed since this start that are not searchable yet",
    registers,
    collect() {
      this.set(pending.size);
    },
  });
  let setAside = 0;
  new Gauge({
    name: "archivestream_index_set_aside_files",
    help: "Files whose pages are not, or not all, searchable, because reading them failed or ended the indexer's thread",
    registers,
    collect() {
      this.set(setAside);
    },
  });
  return {
    committed: (sequence) => {
      if (pending.size < MAX_PENDING) pending.set(sequence, nowMs());
    },
    observe: (event) => {
      if (event.kind === "set-aside") setAside = event.blobs.length;
      if (event.kind === "withdrawn") {
        pending.delete(event.blob);
        return;
      }
      if (event.kind === "ready" || event.kind === "set-aside") return;
      blobs.inc({ outcome: event.kind });
      const committedMs = pending.get(event.sequence);
      pending.delete(event.sequence);
      if (committedMs !== undefined && event.kind === "indexed") lag.observe((nowMs() - committedMs) / 1_000);
    },
    restarted: () => restarts.inc(),
  };
}
