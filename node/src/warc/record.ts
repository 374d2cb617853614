/** The vocabulary of archive files: records, payloads and damage. Types only; reading is `record-reader.ts`. */

/** A byte range of the file that could not be read as records, and why. Offsets count bytes of the stored file. */
export interface DamagedRange {
  readonly offset: number;
  readonly length: number;
  /** Stable short text for people and tests, such as `gzip data damaged` or `content-length beyond end of file`. */
  readonly reason: string;
}

/** How the file is stored, found by its bytes and never by its name. */
export type Compression = "none" | "gzip" | "zstd";
export type ArchiveFormat = "warc" | "arc";

/** Name as written, value unfolded and trimmed; order and repeats kept. */
export type HeaderField = readonly [name: string, value: string];

/**
 * Random access to the stored bytes: a file, or an object read by ranges. `read` gives at least one byte unless
 * `position` is at or beyond `size`, and never more than `length`.
 */
export interface ByteSource {
  readonly size: number;
  read(position: number, length: number): Promise<Uint8Array>;
  /** The same into memory of the caller, who uses it again and again; sources without it are read by `read`. */
  readInto?(position: number, buffer: Uint8Array): Promise<number>;
}

/**
 * The bytes between a record's header and its end mark. Can be read once, before the reader is asked for the next entry;
 * whatever is left is skipped (and checked) by the reader.
 */
export interface RecordBlock {
  /** Declared by the record's header, capped by what the file can hold; bytes. */
  readonly length: number;
  /** The whole block when it is held in memory anyway (most records); reading it does not use up `chunks`. */
  readonly bytes: Uint8Array | undefined;
  /** Throws `WarcError` `BLOCK_DAMAGED` when the stored bytes fail on the way. Chunks stay valid. */
  chunks(): AsyncIterable<Uint8Array>;
}

/** Where a record is kept. For a member with several records, all of them name the member and differ in `skip`. */
export interface RecordPlace {
  /** Of the record, or of the compressed member that holds it, in the stored file. */
  readonly offset: number;
  /**
   * Stored bytes of the member; of a plain record without its end mark, as pywb counts. 0 while a streamed member's end is
   * not known, and for good when it holds several records.
   */
  readonly length: number;
  /** Decoded bytes of the member that come before the record; 0 unless a member holds several records. */
  readonly skip: number;
}

export interface ArchiveRecord {
  readonly format: ArchiveFormat;
  /** `1.0`, `1.1`, `0.17`, `0.18`; `1` for ARC. */
  readonly version: string;
  /** Lower case: `response`, `request`, `revisit`, `warcinfo`, …; ARC: `arc_header` or `response`. */
  readonly type: string;
  readonly headers: readonly HeaderField[];
  /** Angle brackets of old writers removed; `undefined` when the record has none. */
  readonly targetUri: string | undefined;
  /** As written: RFC 3339 in WARC, 14 digits in ARC. */
  readonly date: string | undefined;
  /** Media type of the block, such as `application/http; msgtype=response`. */
  readonly contentType: string | undefined;
  readonly place: RecordPlace;
  readonly block: RecordBlock;
}

export type ArchiveEntry =
  | { readonly kind: "record"; readonly record: ArchiveRecord }
  | { readonly kind: "damage"; readonly damage: DamagedRange };

/** First line and headers of an archived HTTP message. */
export interface HttpHead {
  readonly startLine: string;
  /** Responses only; 0 when the line has none. */
  readonly status: number;
  /** Requests only. */
  readonly method: string | undefined;
  readonly headers: readonly HeaderField[];
  /** Bytes of the block up to and with the empty line. */
  readonly length: number;
}

export type DigestForm = "block" | "payload" | "chunked-payload";

/** Outcome of one record's digests. `matched` says which bytes a payload digest turned out to be made of. */
export interface DigestOutcome {
  readonly verified: number;
  readonly mismatched: number;
  readonly unsupported: number;
  readonly matched: DigestForm | undefined;
  /** For people: which digest does not match or cannot be computed. Absent when all is well. */
  readonly notes?: readonly string[];
}

/** What indexes and checks need of a record's block. */
export interface InspectedRecord {
  readonly http: HttpHead | undefined;
  readonly digests: DigestOutcome;
  /** `sha1:` and base32 of the payload, transfer coding removed; only when the record declares none and holds one. */
  readonly payloadDigest: string | undefined;
  /** First bytes of a request's body, transfer coding removed; empty for other records. */
  readonly body: Uint8Array;
}

/**
 * One line of the capture index, before it gets a file name. Texts are pywb's: `-` where unknown; numbers are numbers.
 * `type` is the record's; a revisit has mime `warc/revisit`.
 */
export interface CaptureRow {
  readonly urlkey: string;
  /** 14 digits, UTC. */
  readonly timestamp: string;
  /** As recorded. */
  readonly url: string;
  readonly mime: string;
  /** `undefined` where the record has none (resource, metadata). */
  readonly status: number | undefined;
  /** Declared payload digest as written, else `sha1:` and base32 of the payload we hashed. */
  readonly digest: string;
  readonly place: RecordPlace;
  readonly type: string;
  /** Other than GET; with the request's body as it was appended to the key. */
  readonly method: string | undefined;
  readonly requestBody: string | undefined;
  /** `Location` of a redirect, as sent. */
  readonly redirect: string | undefined;
}
