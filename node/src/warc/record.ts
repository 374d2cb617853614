/** The vocabulary of archive files: records, payloads and damage. Types only; reading is `record-reader.ts`. */

/** A byte range of the file that could not be read as records, and why. Offsets count bytes of the stored file. */
export interface DamagedRange {
  readonly offset: number;
  readonly length: number;
  /** Stable short text for people and tests, such as `gzip data damaged` or `content-length beyond end of file`. */
  readonly reason: string;
}
