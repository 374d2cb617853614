/** The archive's services, made of its parts. */
import type { AccessScope } from "../cdx/access.ts";
import type { CatalogBlob } from "../cdx/blob-row.ts";
import type { CaptureIndex } from "../cdx/capture-index.ts";
import { createCdxService } from "../cdx/pywb-dialect.ts";
import type { IngestService } from "../ingest/ingest-service.ts";
import type { VolumeWatch } from "../ingest/volume-watch.ts";
import type { Logger } from "../observability/logging.ts";
import { nearestCapture } from "../replay/raw-capture.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import { StorageError } from "../storage/errors.ts";
import { chunksBetween } from "../warc/byte-source.ts";
import { WarcError } from "../warc/errors.ts";
import type {
  ArchiveServices,
  BlobContents,
  BlobInfo,
  BlobQueries,
  HoldingQueries,
  RawCaptureService,
  UploadReceipt,
} from "./archive.ts";
import type { FullText } from "./full-text.ts";
import type { WithdrawalService } from "./withdrawals.ts";

export interface Engines {
  readonly blobs: BlobStore;
  readonly index: CaptureIndex;
  readonly ingest: IngestService;
  readonly fullText: FullText;
  readonly volume: VolumeWatch;
  readonly logger: Logger;
  /** Damage of the index, once it has shown itself. */
  readonly damage: () => StorageError | undefined;
}

type ScopeOf = (collection: string) => AccessScope | undefined;

export function servicesOf(scopeOf: ScopeOf, engines: Engines): ArchiveServices {
  const { index, fullText } = engines;
  return {
    ...writeServices(engines),
    withdrawals: withdrawalService(engines),
    blobs: blobQueries(engines),
    contents: blobContents(engines),
    holdings: holdingQueries(engines),
    cdx: createCdxService({ captures: index, scopeOf }),
    captures: captureService(engines, scopeOf),
    search: fullText.search,
    leaf: fullText.leaf,
  };
}

/** Ranges in one line of the log. */
const LOGGED_RANGES = 100;

function writeServices({
  blobs,
  ingest,
  volume,
  logger,
  damage,
}: Engines): Pick<ArchiveServices, "uploads" | "intake"> {
  const report = ({ hash, damaged, digests }: UploadReceipt): void => {
    if (damaged.length > 0) {
      logger.warn({ hash, damaged: damaged.slice(0, LOGGED_RANGES) }, "stored file has damaged ranges");
    }
    if ((digests?.mismatched ?? 0) > 0) {
      logger.warn({ hash, digests }, "stored file has records that do not match their digest");
    }
  };
  const write = async (work: () => Promise<UploadReceipt>): Promise<UploadReceipt> => {
    const damaged = damage();
    // Whatever were added to a damaged index could be lost with it.
    if (damaged !== undefined) throw damaged;
    try {
      const receipt = await work();
      if (receipt.created) report(receipt);
      return receipt;
    } catch (error) {
      volume.failed(error);
      throw error;
    }
  };
  return {
    uploads: { upload: (body, options, signal) => write(() => ingest.ingest(body, options, signal)) },
    intake: {
      take: (file, options) => write(() => ingest.take(file, options)),
      checkRoom: (bytes) => blobs.checkRoom(bytes),
    },
  };
}

/** Behind a batch of the indexer, a large file, or the pause of a thread that ended, it may take longer: then the answer says so. */
const TEXT_OUT_MS = 20_000;

function withdrawalService({ index, ingest, fullText, volume, damage }: Engines): WithdrawalService {
  return {
    withdrawnAt: async (collection, hash, signal) =>
      (await index.read("withdrawn", { collection, hash }, signal))?.withdrawnAt,
    withdraw: async (collection, hash, signal) => {
      const damaged = damage();
      if (damaged !== undefined) throw damaged;
      try {
        const withdrawn = await ingest.withdraw({ collection, hash });
        if (withdrawn === undefined) return undefined;
        const { sequence, withdrawnAt } = withdrawn;
        return { withdrawnAt, isTextOut: await isTextOut(fullText, sequence, signal) };
      } catch (error) {
        volume.failed(error);
        throw error;
      }
    },
  };
}

async function isTextOut(fullText: FullText, sequence: number, signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TEXT_OUT_MS)]);
  try {
    await fullText.withoutText(sequence, limit);
    return true;
  } catch (error) {
    if (limit.aborted) return false;
    throw error;
  }
}

function blobContents({ index, blobs }: Engines): BlobContents {
  return {
    read: async (collection, hash, range, signal) => {
      const blob = await index.read("blob", { collection, hash }, signal);
      if (blob === undefined) return undefined;
      return chunksBetween(await blobs.open(hash), range?.start ?? 0, range?.end ?? blob.size - 1);
    },
  };
}

function captureService({ index, blobs }: Engines, scopeOf: ScopeOf): RawCaptureService {
  return {
    nearest: async (collection, timestamp, url, signal) => {
      let opened = "";
      const open = (hash: string) => {
        opened = hash;
        return blobs.open(hash);
      };
      try {
        const deps = { captures: index, scopeOf, open };
        const capture = await nearestCapture(deps, collection, { url, timestamp }, signal);
        return capture && { ...capture, body: namingFile(capture.body, opened) };
      } catch (error) {
        throw inFile(error, opened);
      }
    },
  };
}

async function* namingFile(body: AsyncIterable<Uint8Array>, hash: string): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body;
  } catch (error) {
    throw inFile(error, hash);
  }
}

/** Where the index says that a record is there is none any more: the file was damaged after it was stored. */
function inFile(error: unknown, hash: string): unknown {
  if (!(error instanceof WarcError)) return error;
  const { code, details } = error as WarcError<"NO_RECORD" | "BLOCK_DAMAGED">;
  if (code !== "NO_RECORD" && code !== "BLOCK_DAMAGED") return error;
  return new StorageError("BLOB_DAMAGED", { hash, ...details }, { cause: error });
}

function infoOf(fullText: FullText, blob: CatalogBlob): BlobInfo {
  const { sequence, collection: _collection, ...info } = blob;
  if (blob.reason !== undefined) return { ...info, state: "failed" };
  const setAside = fullText.setAside(sequence);
  if (setAside !== undefined)
    return { ...info, state: "captured", reason: `not all pages are searchable: ${setAside}` };
  return { ...info, state: sequence <= fullText.searchableUpTo() ? "searchable" : "captured" };
}

function holdingQueries({ index, fullText }: Engines): HoldingQueries {
  return {
    changes: async (collection, { after, limit }, signal) => {
      // One more than the page, to know whether there are more.
      const found = await index.read("changes", { collection, after, limit: limit + 1 }, signal);
      if (after > found.lastSequence) return { epoch: found.epoch, blobs: undefined };
      const sequences = [...found.items, ...found.withdrawn].map(({ sequence }) => sequence).sort((a, b) => a - b);
      const next = sequences.slice(0, limit).at(-1) ?? after;
      const isOnPage = ({ sequence }: { readonly sequence: number }): boolean => sequence <= next;
      return {
        ...{ epoch: found.epoch, next, more: sequences.length > limit },
        blobs: found.items.filter(isOnPage).map((blob) => ({ ...infoOf(fullText, blob), sequence: blob.sequence })),
        withdrawn: found.withdrawn.filter(isOnPage).map(({ sequence, hash }) => ({ sequence, hash })),
      };
    },
    holders: async (hash, signal) =>
      (await index.read("holders", hash, signal)).map((blob) => ({
        collection: blob.collection,
        blob: infoOf(fullText, blob),
      })),
    withdrawnOf: async (collection, hashes, signal) =>
      new Set(await index.read("withdrawnOf", { collection, hashes }, signal)),
    heldOf: async (collection, hashes, signal) => new Set(await index.read("heldOf", { collection, hashes }, signal)),
  };
}

function blobQueries({ index, fullText }: Engines): BlobQueries {
  return {
    blob: async (collection, hash, signal) => {
      const blob = await index.read("blob", { collection, hash }, signal);
      return blob === undefined ? undefined : infoOf(fullText, blob);
    },
    blobs: async (collection, { limit, after }, signal) => {
      const before = after === undefined ? undefined : Number(after);
      const found = await index.read("blobs", { collection, before, limit: limit + 1 }, signal);
      const page = found.slice(0, limit);
      return {
        blobs: page.map((blob) => infoOf(fullText, blob)),
        next: found.length > limit ? String(page.at(-1)?.sequence) : undefined,
      };
    },
  };
}
