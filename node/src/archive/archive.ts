/**
 * What the archive does for whoever asks it: the HTTP edge, sync, federated search. They depend on these types only.
 * Hashes are 64 lower-case hex digits; timestamps are 14 digits UTC; every call ends when its signal aborts.
 */
import type { SearchAnswerMessage, SearchFilters } from "../asfp/search-messages.ts";
import type { DamagedRange } from "../warc/record.ts";
import type { CdxService } from "./cdx-service.ts";
import type { WithdrawalService } from "./withdrawals.ts";

export interface UploadOptions {
  readonly collection: string;
  /** Name the client gave, for `filename` in CDX answers; never used as a path. */
  readonly filename: string | undefined;
  /** Declared length, bytes, when the client sent one. */
  readonly sizeBytes: number | undefined;
  /** Digest the client promised; a different one fails with `DIGEST_MISMATCH`. */
  readonly sha256: string | undefined;
  /** Also when the file was withdrawn from the collection; without it that fails with `WITHDRAWN`. */
  readonly again: boolean;
}

export interface UploadReceipt {
  readonly hash: string;
  readonly size: number;
  readonly records: number;
  readonly captures: number;
  readonly damaged: readonly DamagedRange[];
  readonly digests: DigestCounts | undefined;
  /** False when the node already held these bytes in this collection. */
  readonly created: boolean;
}

/** What came of the digests that a file's records declare. */
export interface DigestCounts {
  readonly verified: number;
  readonly mismatched: number;
  readonly unsupported: number;
  /** Verified payload digests made of the still chunked body, or of the whole block, as some writers do. */
  readonly chunked: number;
  readonly block: number;
}

export type BlobState = "captured" | "searchable" | "failed";

export interface BlobInfo {
  readonly hash: string;
  readonly filename: string | undefined;
  readonly size: number;
  readonly format: "warc" | "arc" | "unknown";
  readonly compression: "none" | "gzip" | "zstd";
  readonly state: BlobState;
  readonly records: number;
  readonly captures: number;
  /** In lists the first hundred; the numbers beside are of all. */
  readonly damaged: readonly DamagedRange[];
  readonly damagedRanges: number;
  readonly damagedBytes: number;
  /** Absent when they are not known. */
  readonly digests: DigestCounts | undefined;
  /** Why `failed`, or why a `captured` file does not become searchable, in words for a person; absent otherwise. */
  readonly reason: string | undefined;
  /** RFC 3339. */
  readonly receivedAt: string;
  /** Of the first record, since 1970; absent when its date is not known. */
  readonly createdSeconds?: number | undefined;
}

/** The one write path (`ingest/ingest-service.ts`). Throws `IngestError`. */
export interface UploadService {
  upload(body: AsyncIterable<Uint8Array>, options: UploadOptions, signal: AbortSignal): Promise<UploadReceipt>;
}

/** The same write path for files that are on the volume already. */
export interface IntakeService {
  /**
   * Moves a flushed file, whose hash was made from its bytes, into the archive. Durable when it returns. Throws `IngestError`,
   * `StorageError`; the file may be gone then.
   */
  take(
    file: { readonly path: string; readonly hash: string; readonly size: number },
    options: Pick<UploadOptions, "collection" | "filename">,
  ): Promise<UploadReceipt>;
  /** Throws `StorageError` when the volume has not this many bytes free beside the reserve. */
  checkRoom(bytes: number): Promise<void>;
}

export interface BlobQueries {
  blob(collection: string, hash: string, signal: AbortSignal): Promise<BlobInfo | undefined>;
  /** Newest first; `after` is the `next` of the page before. */
  blobs(
    collection: string,
    page: { readonly limit: number; readonly after: string | undefined },
    signal: AbortSignal,
  ): Promise<{ readonly blobs: readonly BlobInfo[]; readonly next: string | undefined }>;
}

/** A page of a collection's files in the order in which they came. */
export interface BlobChanges {
  /** Names the order: it is another one after the index was made anew. */
  readonly epoch: string;
  readonly blobs: readonly (BlobInfo & { readonly sequence: number })[];
  /** Files that are held no more. Together with those above in the order of their sequences. */
  readonly withdrawn: readonly { readonly sequence: number; readonly hash: string }[];
  /** Where the next page begins. */
  readonly next: number;
  readonly more: boolean;
}

/** What is held, for those who copy it. */
export interface HoldingQueries {
  /** Oldest first. Without `blobs` when no file ever had the sequence `after`: the index is older than whoever asks. */
  changes(
    collection: string,
    page: { readonly after: number; readonly limit: number },
    signal: AbortSignal,
  ): Promise<BlobChanges | { readonly epoch: string; readonly blobs: undefined }>;
  /** One entry for each collection that holds the file. */
  holders(
    hash: string,
    signal: AbortSignal,
  ): Promise<readonly { readonly collection: string; readonly blob: BlobInfo }[]>;
  /** Those of these hashes that the collection holds. */
  heldOf(collection: string, hashes: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Those of these hashes that were withdrawn from the collection and are not held again. */
  withdrawnOf(collection: string, hashes: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>>;
}

/** Stored files, exactly as received. */
export interface BlobContents {
  /**
   * Bytes of a blob that the collection holds; `undefined` when it does not.
   *
   * @param range - inclusive offsets; absent: all
   */
  read(
    collection: string,
    hash: string,
    range: { readonly start: number; readonly end: number } | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | undefined>;
}

/**
 * The archived response as it was recorded, transfer encoding removed, content encoding kept. It holds an open file until
 * its body was read to the end, or it is disposed of.
 */
export interface RawCapture extends AsyncDisposable {
  readonly url: string;
  readonly timestamp: string;
  readonly status: number;
  /** Recorded HTTP headers in order, as name and value. */
  readonly headers: readonly (readonly [string, string])[];
  /** Of the body, bytes; `undefined` when only reading it tells. */
  readonly length: number | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface RawCaptureService {
  /** The capture nearest to `timestamp` (1 to 14 digits); `undefined` when the URL is not held. */
  nearest(collection: string, timestamp: string, url: string, signal: AbortSignal): Promise<RawCapture | undefined>;
}

export interface SearchRequest {
  /** The user's words, phrases, prefixes and fields (`host:`, `title:`, `type:`, `lang:`). */
  readonly q: string;
  readonly collections: readonly string[];
  readonly limit: number;
  readonly offset: number;
  /** Inclusive bounds, 4 to 14 digits. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export interface SearchHit {
  readonly url: string;
  readonly collection: string;
  /** Newest matching capture. */
  readonly timestamp: string;
  readonly title: string;
  /** HTML: escaped text with `<mark>` around matches, nothing else. */
  readonly snippet: string;
  readonly host: string;
  readonly mime: string;
  readonly language: string | undefined;
  readonly score: number;
  /** All captures of the page in the index. */
  readonly captures: { readonly count: number; readonly first: string; readonly last: string };
}

export interface Facet {
  readonly value: string;
  readonly count: number;
}

export interface SearchAnswer {
  readonly total: number;
  /** True when `total` is a lower bound. */
  readonly totalIsLowerBound: boolean;
  readonly hits: readonly SearchHit[];
  readonly facets: {
    readonly host: readonly Facet[];
    readonly type: readonly Facet[];
    readonly language: readonly Facet[];
    readonly year: readonly Facet[];
  };
  readonly tookMs: number;
}

/** Throws `SearchError` (`BAD_QUERY` says what to change). */
export interface SearchService {
  /** @returns with the number of documents that were searched: all that the asked collections show */
  search(request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer & { readonly documents: number }>;
}

/** A search as the edge takes it: of this archive, or of the federation. */
export interface FederatedRequest extends SearchRequest {
  readonly scope: "federation" | "local";
  /** Time for the answer, milliseconds; absent: as the federation document says. */
  readonly timeoutMs: number | undefined;
  /** For whom peers are asked: `member` may also see hits of Federation collections. */
  readonly audience: "public" | "member";
  /** Collections that the user named; peers are asked for theirs of the same names. */
  readonly named: readonly string[] | undefined;
}

/** What became of a question to one archive. */
export interface AskedArchive {
  readonly node_id: string;
  readonly status: string;
  readonly took_ms: number;
  /** Hits that it sent. */
  readonly returned: number;
  /** Hits of this answer that it has. */
  readonly used: number;
  /** All that it shows to who asks, as it said last; absent while it never did. */
  readonly documents?: number;
}

/** Names with underscores are those that the federation adds. */
export interface FederatedAnswer extends Omit<SearchAnswer, "hits"> {
  /** `sources`: ids of the nodes that have the page. */
  readonly hits: readonly (SearchHit & { readonly sources: readonly string[] })[];
  readonly coverage: {
    /** Documents of the archives that answered, as part of those of all archives whose number is known: 0 to 1. */
    readonly documents: number;
    /** This archive. */
    readonly local: AskedArchive;
    readonly peers: {
      readonly selected: number;
      readonly answered: number;
      readonly partial: number;
      readonly failed: number;
    };
  };
  readonly ranking: "approximate";
  /** All that could be asked, also those that were not. */
  readonly peers: readonly AskedArchive[];
  /** Why this is not the answer of the federation, in words for a person. */
  readonly notice?: string;
}

/** Throws `SearchError` (`BAD_QUERY` says what to change). */
export interface FederatedSearchService {
  search(request: FederatedRequest, signal: AbortSignal): Promise<FederatedAnswer>;
}

/** What a peer asks of this node's index alone. */
export interface LeafQuestion {
  readonly query: string;
  /** Those that the asker may read. */
  readonly collections: readonly string[];
  readonly filters: Omit<SearchFilters, "collections">;
  /** Results to present. */
  readonly size: number;
  readonly budgetMs: number;
  /** With features, and with statistics. */
  readonly features: boolean;
  readonly stats: boolean;
}

/** Throws `SearchError` (`BAD_QUERY`, `OVERLOADED`). */
export interface LeafSearchService {
  ask(question: LeafQuestion, signal: AbortSignal): Promise<SearchAnswerMessage>;
}

/** Everything the archive does for others. */
export interface ArchiveServices {
  readonly uploads: UploadService;
  readonly intake: IntakeService;
  readonly withdrawals: WithdrawalService;
  readonly blobs: BlobQueries;
  readonly contents: BlobContents;
  readonly holdings: HoldingQueries;
  readonly cdx: CdxService;
  readonly captures: RawCaptureService;
  readonly search: SearchService;
  readonly leaf: LeafSearchService;
}
