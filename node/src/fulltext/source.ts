/** What the indexer needs from the archive: blobs in the order they were committed, and the captures of each. */

export interface SourceBlob {
  /** Position in the order of commits; > 0 and rising. */
  readonly sequence: number;
  readonly hash: string;
  readonly collection: string;
}

/** A blob that the archive holds no more. */
export interface WithdrawnBlob {
  /** Of the withdrawal, in the order of commits; > 0 and rising. */
  readonly sequence: number;
  /** Of the blob. */
  readonly blob: number;
}

export interface SourceCapture {
  readonly urlkey: string;
  readonly url: string;
  /** 14 digits UTC. */
  readonly timestamp: string;
  /** Media type without parameters, lower case; empty when unknown. */
  readonly mime: string;
  /** What the crawler took the payload for (`WARC-Identified-Payload-Type`), lower case. */
  readonly identifiedMime?: string | undefined;
  /** Payload digest in any one spelling that is the same for the same bytes. */
  readonly digest: string;
  /** True for a revisit record: it names a payload held elsewhere and brings no text. */
  readonly revisit: boolean;
  /** Content-Type with parameters and the payload without transfer and content encoding, cut at the cap. */
  readonly payload: (
    capBytes: number,
  ) => Promise<{ readonly contentType: string | undefined; readonly body: Uint8Array }>;
}

/** Made inside the indexer's worker by the module named in its options. */
export interface IndexSource {
  /** Blobs after a sequence number, ascending. */
  readonly blobsAfter: (sequence: number, limit: number) => Promise<readonly SourceBlob[]>;
  /** The captures of a blob, always in the same order: a resumed run skips the ones it has. */
  readonly captures: (blob: SourceBlob, signal: AbortSignal) => AsyncIterable<SourceCapture>;
  /** Withdrawals after a sequence number, ascending. From when one is told here, the two others know nothing of its blob. */
  readonly withdrawnAfter: (sequence: number, limit: number) => Promise<readonly WithdrawnBlob[]>;
  readonly close: () => Promise<void>;
}

/** The function that a source module exports as `openIndexSource`; `options` came through `workerData`. */
export type OpenIndexSource = (options: unknown) => IndexSource | Promise<IndexSource>;
