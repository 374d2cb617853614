/** Rows of the catalog's files as values. */
import type { SQLOutputValue } from "node:sqlite";
import type { Compression, DamagedRange } from "../warc/record.ts";

/** A file as the catalog knows it. */
export interface CatalogBlob {
  /** Order of commits, over all collections; > 0 and rising. */
  readonly sequence: number;
  readonly collection: string;
  readonly hash: string;
  readonly filename: string | undefined;
  readonly size: number;
  readonly compression: Compression;
  readonly records: number;
  readonly captures: number;
  readonly damaged: readonly DamagedRange[];
  /** Why it could not be read; absent when it could. */
  readonly reason: string | undefined;
  /** RFC 3339. */
  readonly receivedAt: string;
}

/** For `SELECT` from blobs joined with collections as `collection_name`. */
export const BLOB_COLUMNS = `b.sequence, c.name AS collection_name, b.hash, b.filename, b.size, b.compression,
  b.records, b.captures, b.damaged, b.reason, b.received_at`;

export function toBlob(row: Record<string, SQLOutputValue>): CatalogBlob {
  return {
    sequence: Number(row["sequence"]),
    collection: String(row["collection_name"]),
    hash: String(row["hash"]),
    filename: textOf(row["filename"]),
    size: Number(row["size"]),
    compression: String(row["compression"]) as Compression,
    records: Number(row["records"]),
    captures: Number(row["captures"]),
    damaged: JSON.parse(String(row["damaged"])) as DamagedRange[],
    reason: textOf(row["reason"]),
    receivedAt: String(row["received_at"]),
  };
}

export function textOf(value: SQLOutputValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
