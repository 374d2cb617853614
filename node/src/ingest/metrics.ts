/** Metrics of taking files in. */
import { Counter, Histogram, type Registry } from "prom-client";

export type IngestOutcome = "stored" | "held" | "refused" | "failed";
const OUTCOMES: readonly IngestOutcome[] = ["stored", "held", "refused", "failed"];

export interface IngestMetrics {
  outcome(outcome: IngestOutcome): void;
  stored(file: {
    readonly bytes: number;
    readonly captures: number;
    readonly damaged: number;
    readonly lost: number;
    /** Declared digests that fit none of the bytes they may be made of. */
    readonly mismatched: number;
  }): void;
  /** From the last byte received to visible in CDX answers, seconds. */
  indexed(seconds: number): void;
}

export function createIngestMetrics(registry: Registry): IngestMetrics {
  const registers = [registry];
  const files = new Counter({
    name: "archivestream_ingest_files_total",
    help: "Files offered, by outcome",
    labelNames: ["outcome"],
    registers,
  });
  for (const outcome of OUTCOMES) files.inc({ outcome }, 0);
  const bytes = new Counter({ name: "archivestream_ingest_bytes_total", help: "Bytes of stored files", registers });
  const captures = new Counter({ name: "archivestream_ingest_captures_total", help: "Captures indexed", registers });
  const damaged = new Counter({
    name: "archivestream_ingest_damaged_ranges_total",
    help: "Byte ranges of stored files that could not be read",
    registers,
  });
  const lost = new Counter({
    name: "archivestream_ingest_damaged_bytes_total",
    help: "Bytes in those ranges",
    registers,
  });
  const mismatched = new Counter({
    name: "archivestream_ingest_digest_mismatches_total",
    help: "Digests in records of stored files that do not match the record",
    registers,
  });
  const lag = new Histogram({
    name: "archivestream_ingest_index_seconds",
    help: "From the last byte of a file to its captures being visible",
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300],
    registers,
  });
  return {
    outcome: (outcome) => files.inc({ outcome }),
    stored: (file) => {
      bytes.inc(file.bytes);
      captures.inc(file.captures);
      damaged.inc(file.damaged);
      lost.inc(file.lost);
      mismatched.inc(file.mismatched);
    },
    indexed: (seconds) => lag.observe(seconds),
  };
}
