/** Opens an archive: storage, indexes, ingest and search, made into the services that others ask for. */
import { access } from "node:fs/promises";
import type { Registry } from "prom-client";
import { scopeOf } from "../cdx/access.ts";
import { CaptureIndex } from "../cdx/capture-index.ts";
import { catalogFiles } from "../cdx/catalog-calls.ts";
import type { JournalEntry } from "../cdx/journal.ts";
import type { NodeConfig } from "../contract/config-schema.ts";
import { ArchiveParser } from "../ingest/archive-parser.ts";
import { createIngestService, type IngestService } from "../ingest/ingest-service.ts";
import { createIngestMetrics } from "../ingest/metrics.ts";
import { type RecoveryEvent, recover } from "../ingest/recovery.ts";
import { VolumeWatch } from "../ingest/volume-watch.ts";
import type { Component } from "../lifecycle/component.ts";
import type { NodeState } from "../lifecycle/node-state.ts";
import type { Logger } from "../observability/logging.ts";
import type { StorageError } from "../storage/errors.ts";
import { createFileBlobStore, incomingFolder } from "../storage/file-blob-store.ts";
import { syncFolder } from "../storage/folder-sync.ts";
import { createVolumeMetrics } from "../storage/metrics.ts";
import type { ArchiveServices } from "./archive.ts";
import { composeFullText } from "./full-text.ts";
import { type Engines, servicesOf } from "./services.ts";

export interface ArchiveParts {
  readonly config: NodeConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly state: NodeState;
}

/** The archive as one component: started before the listeners, stopped after them. */
export interface Archive extends Component {
  readonly services: ArchiveServices;
  /** Takes in files that the journal does not name. Call it after the start. */
  readonly adopt: (rules: AdoptionRules, signal: AbortSignal) => Promise<Adoption>;
  /** Resolves when everything committed so far can be found. */
  readonly searchable: (signal: AbortSignal) => Promise<void>;
  readonly count: (signal: AbortSignal) => Promise<{ readonly blobs: number; readonly captures: number }>;
}

export interface AdoptionRules {
  /** What is known of a file from elsewhere, one entry per collection. */
  readonly entriesOf: (hash: string) => readonly JournalEntry[];
  /** Where files go of which nothing is known; `undefined`: they are left as they are, in no collection. */
  readonly fallback: string | undefined;
}

export interface Adoption {
  readonly adopted: number;
  /** Files that no collection shows. */
  readonly left: number;
}

/** Two threads that read files and two that read the index: with two cores, none of them waits for long. */
const THREADS = { parsers: 2, readers: 2 };
const UNREAD_PER_CALL = 100;

export function openArchive(parts: ArchiveParts): Archive {
  const { config, logger, state } = parts;
  const { dataDir } = config;
  createVolumeMetrics(parts.registry, dataDir, config.limits.reserveBytes);
  const blobs = createFileBlobStore({ dataDir, reserveBytes: config.limits.reserveBytes });
  const volume = new VolumeWatch({
    probe: async () => {
      await blobs.checkWrites();
      await blobs.checkRoom(0);
    },
    onChange: (message) => {
      if (message !== undefined) return state.report("volume", message);
      state.ended("volume");
      fullText.resume();
      return undefined;
    },
  });
  let damage: StorageError | undefined;
  const index = new CaptureIndex({
    files: catalogFiles(dataDir),
    readers: THREADS.readers,
    onDamage: (error) => {
      damage ??= error;
      state.report("index", error.message);
    },
  });
  const parser = new ArchiveParser(THREADS.parsers);
  const fullText = composeFullText({ ...parts, onFailure: (error) => volume.failed(error) }, scopesOf(config));
  const ingest = composeIngest(parts, { blobs, index, parser, fullText });
  const stop = async (): Promise<void> => {
    volume.stop();
    await fullText.stop();
    await parser.close();
    await index.close();
  };
  return {
    name: "archive",
    start: async (signal) => {
      try {
        await blobs.prepare();
        await index.open(signal);
        // Also of the journal, which the index has just made.
        await syncFolder(dataDir);
        await recoverArchive({ blobs, index, ingest, logger }, signal);
        await fullText.start(signal);
        volume.start();
      } catch (error) {
        // Nobody stops what did not start, and a thread left over would keep the process.
        await stop();
        throw error;
      }
    },
    stop,
    adopt: (rules, signal) => adopt({ blobs, index, ingest }, rules, signal),
    searchable: async (signal) =>
      fullText.searchable(await index.read("lastSequence", undefined as never, signal), signal),
    count: (signal) => index.read("count", undefined as never, signal),
    services: servicesOf(scopesOf(config), { blobs, index, ingest, fullText, volume, logger, damage: () => damage }),
  };
}

function scopesOf(config: NodeConfig) {
  const collections = new Map(config.collections.map((collection) => [collection.name, collection]));
  return (name: string) => {
    const collection = collections.get(name);
    return collection === undefined ? undefined : scopeOf(collection, new Date());
  };
}

function composeIngest(
  { config, registry, logger }: ArchiveParts,
  {
    blobs,
    index,
    parser,
    fullText,
  }: Pick<Engines, "blobs" | "index" | "fullText"> & { readonly parser: ArchiveParser },
): IngestService {
  return createIngestService({
    blobs,
    parser,
    index: {
      commit: (commit) => index.commit(commit),
      // A sender who goes away does not end what was begun; the index has a limit of its own.
      held: (collection, hash) => index.read("blob", { collection, hash }, new AbortController().signal),
      holds: (hash) => index.read("holds", hash, new AbortController().signal),
      withdrawn: (collection, hash) => index.read("withdrawn", { collection, hash }, new AbortController().signal),
      withdraw: (withdraw) => index.withdraw(withdraw),
    },
    spoolFolder: incomingFolder(config.dataDir),
    committed: (sequence) => fullText.committed(sequence),
    withdrawn: () => fullText.withdrew(),
    leftBehind: (hash, error) => logger.warn({ hash, err: error }, "refused file stays on the volume until a restart"),
    metrics: createIngestMetrics(registry),
    now: () => new Date(),
    monotonicMs: () => performance.now(),
  });
}

async function recoverArchive(
  { blobs, index, ingest, logger }: Pick<Engines, "blobs" | "index" | "ingest" | "logger">,
  signal: AbortSignal,
): Promise<void> {
  await recover(
    {
      unsettled: () => blobs.unsettled(),
      holds: (hash) => index.read("holds", hash, signal),
      unread: () => index.unread(UNREAD_PER_CALL, signal),
      withdraw: async (withdrawal, journalEnd) => {
        await index.withdraw({ withdrawal, journalEnd });
      },
      restore: (entry, journalEnd) => ingest.restore(entry, journalEnd),
      skip: (journalEnd) => index.skip(journalEnd, signal),
      exists: (hash) =>
        access(blobs.pathOf(hash)).then(
          () => true,
          () => false,
        ),
      report: (event) => reportRecovery(logger, event),
    },
    signal,
  );
}

function reportRecovery(logger: Logger, event: RecoveryEvent): void {
  if (event.kind === "unreadable") {
    logger.error({ journalEnd: event.journalEnd }, "a line of the journal cannot be read; rebuild takes its file in");
  } else if (event.kind === "missing") {
    const message = "a file of the journal is not on the volume and is shown nowhere; send it again";
    logger.error({ hash: event.hash }, message);
  } else {
    logger.info({ hash: event.hash, outcome: event.kind }, "file recovered after an unclean end");
  }
}

async function adopt(
  { blobs, index, ingest }: Pick<Engines, "blobs" | "index" | "ingest">,
  { entriesOf, fallback }: AdoptionRules,
  signal: AbortSignal,
): Promise<Adoption> {
  let [adopted, left] = [0, 0];
  for await (const { hash, size } of blobs.list()) {
    const known = entriesOf(hash);
    for (const entry of known) {
      const { collection } = entry;
      if (await isSettled(index, { collection, hash }, signal)) continue;
      await ingest.restore({ ...entry, size }, undefined);
      adopted += 1;
    }
    if (known.length > 0 || (await isSettled(index, { hash }, signal))) continue;
    if (fallback === undefined) left += 1;
    else {
      await ingest.restore({ collection: fallback, hash, filename: undefined, size }, undefined);
      adopted += 1;
    }
  }
  return { adopted, left };
}

/** Held, or withdrawn: somebody wanted it away, and only an upload that says so brings it back. */
async function isSettled(
  index: CaptureIndex,
  { collection, hash }: { readonly collection?: string; readonly hash: string },
  signal: AbortSignal,
): Promise<boolean> {
  if (collection === undefined) {
    return (await index.read("holds", hash, signal)) || (await index.read("wasWithdrawn", hash, signal));
  }
  const held = await index.read("blob", { collection, hash }, signal);
  return held !== undefined || (await index.read("withdrawn", { collection, hash }, signal)) !== undefined;
}
