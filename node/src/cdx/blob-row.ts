/** Rows of the catalog's files as values. */
import type { SQLOutputValue } from "node:sqlite";
import type { ArchiveFormat, Compression, DamagedRange } from "../warc/record.ts";

/** What came of the digests that a file's records declare. */
export interface DigestCounts {
  readonly verified: number;
  readonly mismatched: number;
  /** Of an algorithm that is not known. */
  readonly unsupported: number;
  /** Verified payload digests that their writer made of the still chunked body. */
  readonly chunked: number;
  /** The same of the whole block. */
  readonly block: number;
}

/** A file as the catalog knows it. */
export interface CatalogBlob {
  /** Order of commits, over all collections; > 0 and rising. */
  readonly sequence: number;
  readonly collection: string;
  readonly hash: string;
  readonly filename: string | undefined;
  readonly size: number;
  readonly format: ArchiveFormat | "unknown";
  readonly compression: Compression;
  readonly records: number;
  readonly captures: number;
  /** In lists the first `LISTED_RANGES`. */
  readonly damaged: readonly DamagedRange[];
  /** Of all ranges. */
  readonly damagedRanges: number;
  readonly damagedBytes: number;
  /** Absent for files that were not read to their end, or by a version that did not keep them. */
  readonly digests: DigestCounts | undefined;
  /** Why it could not be read; absent when it could. */
  readonly reason: string | undefined;
  /** RFC 3339. */
  readonly receivedAt: string;
  /** Of the first record, since 1970; absent when its date is not known. */
  readonly createdSeconds: number | undefined;
}

/** Of a file of nothing but damage, a list would be a megabyte long for each. */
const LISTED_RANGES = 100;

const columns = (damaged: string): string =>
  `b.sequence, c.name AS collection_name, b.hash, b.filename, b.size, b.format, b.compression, b.records, b.captures,
   ${damaged} AS damaged, b.damaged_ranges, b.damaged_bytes, b.digests, b.reason, b.received_at,
   b.created_seconds`;

/** For `SELECT` from blobs b joined with collections c. */
export const BLOB_COLUMNS = columns("b.damaged");
/** The same for lists. */
export const LISTED_COLUMNS = columns(
  `CASE WHEN b.damaged_ranges <= ${LISTED_RANGES} THEN b.damaged ELSE (SELECT json_group_array(json(value)) FROM
   (SELECT value FROM json_each(b.damaged) LIMIT ${LISTED_RANGES})) END`,
);

export function toBlob(row: Record<string, SQLOutputValue>): CatalogBlob {
  return {
    sequence: Number(row["sequence"]),
    collection: String(row["collection_name"]),
    hash: String(row["hash"]),
    filename: textOf(row["filename"]),
    size: Number(row["size"]),
    format: String(row["format"]) as CatalogBlob["format"],
    compression: String(row["compression"]) as Compression,
    records: Number(row["records"]),
    captures: Number(row["captures"]),
    damaged: JSON.parse(String(row["damaged"])) as DamagedRange[],
    damagedRanges: Number(row["damaged_ranges"]),
    damagedBytes: Number(row["damaged_bytes"]),
    digests: row["digests"] === null ? undefined : (JSON.parse(String(row["digests"])) as DigestCounts),
    reason: textOf(row["reason"]),
    receivedAt: String(row["received_at"]),
    createdSeconds: row["created_seconds"] === null ? undefined : Number(row["created_seconds"]),
  };
}

export function textOf(value: SQLOutputValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
