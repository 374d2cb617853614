/** Wires the full-text index: its writing thread behind the catalog, its reading threads behind the search service. */
import { join } from "node:path";
import type { Registry } from "prom-client";
import packageJson from "../../package.json" with { type: "json" };
import type { AccessScope } from "../cdx/access.ts";
import { catalogFiles } from "../cdx/catalog-calls.ts";
import type { NodeConfig } from "../contract/config-schema.ts";
import type { ArchiveSourceOptions } from "../fulltext/archive-source.ts";
import type { SetAside } from "../fulltext/index-writer.ts";
import { Indexer } from "../fulltext/indexer.ts";
import { createFullTextMetrics, type FullTextMetrics } from "../fulltext/metrics.ts";
import { type FullTextIndex, openFullTextIndex } from "../fulltext/reader-pool.ts";
import type { NodeState } from "../lifecycle/node-state.ts";
import type { Logger } from "../observability/logging.ts";
import { SYSTEM_CLOCK } from "../search/deadline.ts";
import { createLeafSearch } from "../search/leaf-search.ts";
import { createLocalSearch } from "../search/local-search.ts";
import { createSearchMetrics } from "../search/metrics.ts";
import { storageErrorOf } from "../storage/errors.ts";
import { blobFolder } from "../storage/file-blob-store.ts";
import type { LeafSearchService, SearchService } from "./archive.ts";

export interface FullTextParts {
  readonly config: NodeConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly state: NodeState;
  /** Told why the indexer's thread ended; it may be the volume's trouble. */
  readonly onFailure: (error: unknown) => void;
}

export interface FullText {
  readonly search: SearchService;
  readonly leaf: LeafSearchService;
  /** Files up to this place in the order of commits can be found. */
  readonly searchableUpTo: () => number;
  /** Why a file is not searchable though its turn has come; `undefined` when it is. */
  readonly setAside: (sequence: number) => string | undefined;
  /** Resolves once files up to this place can be found. */
  readonly searchable: (sequence: number, signal: AbortSignal) => Promise<void>;
  /** The volume takes writes again: goes on at once if it had stopped. */
  readonly resume: () => void;
  /** A file was withdrawn. */
  readonly withdrew: () => void;
  /** Resolves once the text of what was withdrawn up to this place in the order of commits is out. */
  readonly withoutText: (sequence: number, signal: AbortSignal) => Promise<void>;
  /** A file was committed. */
  readonly committed: (sequence: number) => void;
  readonly start: (signal: AbortSignal) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A question scores for `softMs` and then answers with what it has; past `hardMs` its thread is ended. */
const READERS = { readers: 2, softMs: 400, hardMs: 5_000, queue: 64 };
const POLL_MS = 5_000;
/** No page and no commit stops the loop this long; a batch is some ten megabytes of text and its words. */
const INDEXER = { stallMs: 120_000, heapMb: 1_024 };

export function composeFullText(
  parts: FullTextParts,
  scopeOf: (collection: string) => AccessScope | undefined,
): FullText {
  const { config, registry } = parts;
  const file = join(config.dataDir, "fulltext.db");
  const progress = new Progress();
  const withdrawn = new Progress();
  const metrics = createFullTextMetrics(registry, () => performance.now());
  const { indexer, setAside } = composeIndexer(file, parts, { metrics, progress, withdrawn });
  let index: FullTextIndex | undefined;
  const opened = (): FullTextIndex => {
    index ??= openFullTextIndex({ file, ...READERS, onDamage: (inode) => indexer.rebuild(inode) });
    return index;
  };
  const asked = {
    index: {
      match: (...call: Parameters<FullTextIndex["match"]>) => opened().match(...call),
      candidates: (...call: Parameters<FullTextIndex["candidates"]>) => opened().candidates(...call),
      present: (...call: Parameters<FullTextIndex["present"]>) => opened().present(...call),
    },
    scopeOf: (collection: string) => {
      const scope = scopeOf(collection);
      return scope && { ...scope, cutoff: scope.cutoff === undefined ? undefined : Number(scope.cutoff) };
    },
  };
  return {
    search: createLocalSearch({
      ...asked,
      metrics: createSearchMetrics(registry),
      nowMs: () => performance.now(),
    }),
    leaf: createLeafSearch({ ...asked, clock: SYSTEM_CLOCK }),
    searchableUpTo: () => progress.sequence,
    setAside,
    searchable: (sequence, signal) => progress.until(sequence, signal),
    withdrew: () => indexer.wake(),
    withoutText: (sequence, signal) => withdrawn.until(sequence, signal),
    committed: (sequence) => {
      metrics.committed(sequence);
      indexer.wake();
    },
    resume: () => indexer.resume(),
    start: async (signal) => {
      await indexer.start(signal);
      opened();
    },
    stop: async () => {
      await index?.close();
      await indexer.stop();
    },
  };
}

interface ComposedIndexer {
  readonly indexer: Indexer;
  /** Why a file was set aside. */
  readonly setAside: (sequence: number) => string | undefined;
}

/** The writing thread, and what the rest of the node is told of it. */
function composeIndexer(
  file: string,
  { config, logger, state, onFailure }: FullTextParts,
  told: { readonly metrics: FullTextMetrics; readonly progress: Progress; readonly withdrawn: Progress },
): ComposedIndexer {
  const sourceOptions: ArchiveSourceOptions = {
    database: catalogFiles(config.dataDir).database,
    blobs: blobFolder(config.dataDir),
  };
  let setAside: ReadonlyMap<number, string> = new Map();
  const indexer = new Indexer(
    {
      file,
      sourceModule: new URL("../fulltext/archive-source.ts", import.meta.url).href,
      sourceOptions,
      pollMs: POLL_MS,
      program: packageJson.version,
      ...INDEXER,
    },
    {
      onEvent: (event) => {
        told.metrics.observe(event);
        if (event.kind === "set-aside") {
          setAside = new Map(event.blobs.map(({ sequence, reason }) => [sequence, reason]));
          noteSetAside(state, event.blobs);
          return;
        }
        if (event.kind === "withdrawn") return told.withdrawn.reached(event.sequence);
        told.progress.reached(event.sequence);
        if (event.kind === "ready") told.withdrawn.reached(event.withdrawn);
        if (event.kind === "failed") {
          logger.warn({ hash: event.hash, reason: event.reason }, "file is not searchable");
        }
      },
      onRestart: (error) => {
        told.metrics.restarted();
        onFailure(storageErrorOf(error, file) ?? error);
        logger.error({ err: error }, "full-text indexer ended and is started again");
      },
    },
  );
  return { indexer, setAside: (sequence) => setAside.get(sequence) };
}

function noteSetAside(state: NodeState, blobs: readonly SetAside[]): void {
  const [newest] = blobs;
  if (newest === undefined) {
    state.clear("unsearchable");
    return;
  }
  const others = blobs.length === 1 ? "" : ` and ${blobs.length - 1} more`;
  state.note(
    "unsearchable",
    `not all pages of ${newest.hash}${others} are searchable (${newest.reason}): a newer version or archive-node rebuild tries again`,
  );
}

/** How far the indexer is, and who waits for it. */
class Progress {
  sequence = 0;
  #changed = Promise.withResolvers<void>();

  reached(sequence: number): void {
    // A file that is tried again lies behind.
    this.sequence = Math.max(this.sequence, sequence);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  async until(sequence: number, signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {});
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      while (this.sequence < sequence) {
        signal.throwIfAborted();
        await Promise.race([this.#changed.promise, aborted.promise]);
      }
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}
