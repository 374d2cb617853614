/** A capture as the index keeps it, and how ranges of them are read. Types only. */
import type { CaptureRow } from "../warc/record.ts";

export interface StoredCapture extends CaptureRow {
  /** The file that holds it. */
  readonly hash: string;
  /** What CDX answers call the file: the name its sender gave it, else the hash. */
  readonly filename: string;
}

/** A run of the index in its order: by bytes of the key, then by time. */
export interface CaptureRange {
  /** First key; with `keyTo` absent the only one. */
  readonly keyFrom: string;
  /** First key that is outside. */
  readonly keyTo: string | undefined;
  /** Inclusive, 14 digits. */
  readonly timeFrom: string | undefined;
  readonly timeTo: string | undefined;
  /** Last first. */
  readonly descending: boolean;
}

export interface CaptureReader {
  /** Batches of captures in the order of the range. Ending the loop early stops reading. */
  scan(collection: string, range: CaptureRange, signal: AbortSignal): AsyncIterable<readonly StoredCapture[]>;
}
