/** A running full-text index over listed captures: indexer thread, reader threads, local search. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Registry } from "prom-client";
import type { LeafSearchService, SearchAnswer, SearchService } from "../../node/src/archive/archive.ts";
import { Indexer, type IndexerEvent } from "../../node/src/fulltext/indexer.ts";
import type { CollectionScope } from "../../node/src/fulltext/question.ts";
import { type FullTextIndex, openFullTextIndex } from "../../node/src/fulltext/reader-pool.ts";
import { SYSTEM_CLOCK } from "../../node/src/search/deadline.ts";
import { createLeafSearch } from "../../node/src/search/leaf-search.ts";
import { createLocalSearch } from "../../node/src/search/local-search.ts";
import { createSearchMetrics } from "../../node/src/search/metrics.ts";
import { type ListedCapture, listBlob } from "./listed-captures.ts";
import { waitUntil } from "./wait-until.ts";

export interface FullTextArchive extends AsyncDisposable {
  readonly file: string;
  readonly events: readonly IndexerEvent[];
  /** Why threads of the indexer ended by themselves. */
  readonly ends: readonly Error[];
  readonly index: FullTextIndex;
  readonly search: SearchService;
  readonly leaf: LeafSearchService;
  /** Adds a blob and waits until it is searchable. */
  add(captures: readonly ListedCapture[], collection?: string): Promise<void>;
  /** Adds a blob without waiting; returns its sequence. */
  append(captures: readonly ListedCapture[], collection?: string): Promise<number>;
  indexed(sequence: number): Promise<void>;
  /** Withdraws a blob and waits until its text is out. */
  withdraw(blob: number): Promise<void>;
  /** Moves everything from the write-ahead log into the database file. */
  checkpoint(): void;
  ask(q: string, request?: Partial<Parameters<SearchService["search"]>[0]>): Promise<SearchAnswer>;
}

export interface FullTextArchiveOptions {
  readonly dir: string;
  readonly scopeOf?: (name: string) => CollectionScope | undefined;
  readonly readers?: number;
  readonly indexDeadlineMs?: number;
  /** Of the indexer; see `IndexerOptions`. */
  readonly stallMs?: number;
  readonly heapMb?: number;
  readonly program?: string;
}

const openToAll = (name: string): CollectionScope => ({ name, cutoff: undefined, exclude: [] });

/** Starts over what the folder holds already, so that tests can restart. */
export async function openFullTextArchive(options: FullTextArchiveOptions): Promise<FullTextArchive> {
  const list = join(options.dir, "captures.jsonl");
  const file = join(options.dir, "fulltext.db");
  await writeFile(list, "", { flag: "a" });
  const events: IndexerEvent[] = [];
  const ends: Error[] = [];
  const indexer = new Indexer(
    {
      file,
      sourceModule: new URL("./listed-captures.ts", import.meta.url).href,
      sourceOptions: { list },
      pollMs: 200,
      program: options.program ?? "1.0",
      stallMs: options.stallMs ?? 60_000,
      heapMb: options.heapMb ?? 1_024,
    },
    {
      onEvent: (event) => void events.push(event),
      onRestart: (error) => {
        ends.push(error);
        console.error("indexer thread ended", error);
      },
    },
  );
  await indexer.start(AbortSignal.timeout(60_000));
  const index = openFullTextIndex({
    file,
    readers: options.readers ?? 1,
    // No deadline is what these tests are about: a busy machine is to give the same answers.
    softMs: 20_000,
    hardMs: 60_000,
    queue: 100,
    onDamage: (inode) => indexer.rebuild(inode),
  });
  const search = createLocalSearch({
    index,
    scopeOf: options.scopeOf ?? openToAll,
    metrics: createSearchMetrics(new Registry()),
    nowMs: () => performance.now(),
  });
  const leaf = createLeafSearch({ index, scopeOf: options.scopeOf ?? openToAll, clock: SYSTEM_CLOCK });
  const sequences = () =>
    events.map((event) => (event.kind === "set-aside" || event.kind === "withdrawn" ? 0 : event.sequence));
  const reached = (sequence: number): boolean => sequences().some((seen) => seen >= sequence);
  const indexed = async (sequence: number): Promise<void> => {
    const deadlineMs = options.indexDeadlineMs ?? 60_000;
    await waitUntil(`blob ${sequence} to be searchable`, () => reached(sequence), { deadlineMs });
  };
  let sequence = Math.max(0, ...sequences());
  const append = async (captures: readonly ListedCapture[], collection = "web"): Promise<number> => {
    sequence += 1;
    await listBlob(list, { sequence, hash: sequence.toString(16).padStart(64, "0"), collection, captures });
    indexer.wake();
    return sequence;
  };
  const withdraw = async (blob: number): Promise<void> => {
    sequence += 1;
    const wanted = sequence;
    await listBlob(list, { sequence, blob });
    indexer.wake();
    const isOut = () => events.some((event) => event.kind === "withdrawn" && event.sequence === wanted);
    await waitUntil(`the text of blob ${blob} to be out`, isOut, { deadlineMs: options.indexDeadlineMs ?? 60_000 });
  };
  return {
    file,
    events,
    withdraw,
    ends,
    index,
    search,
    leaf,
    append,
    indexed,
    checkpoint: () => {
      const database = new DatabaseSync(file);
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      database.close();
    },
    add: async (captures, collection) => indexed(await append(captures, collection)),
    ask: async (q, request = {}) =>
      search.search(
        { q, collections: ["web"], limit: 20, offset: 0, from: undefined, to: undefined, ...request },
        AbortSignal.timeout(60_000),
      ),
    [Symbol.asyncDispose]: async () => {
      await index.close();
      await indexer.stop();
    },
  };
}
