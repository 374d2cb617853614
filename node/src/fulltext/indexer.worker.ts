/**
 * The writer thread: follows the sequence of blobs and indexes them, until told to stop. The only thread that writes the
 * database. Wakes on a message (a blob was committed) and, in case one was missed, by itself every few seconds.
 */
import { parentPort, workerData } from "node:worker_threads";
import { FullTextError } from "./errors.ts";
import { type FollowDeps, followBlobs, removeWithdrawn, retryFailed, tellSetAside } from "./follow-blobs.ts";
import { IndexWriter } from "./index-writer.ts";
import { BEAT_MS, type IndexerCommand, type IndexerEvent, type IndexerThreadData } from "./indexer.ts";
import { inodeOf, isDamage, openWriter, setAside } from "./schema.ts";
import type { OpenIndexSource } from "./source.ts";

const options = workerData as IndexerThreadData;
const port = parentPort;
if (port === null) throw new Error("indexer.worker.ts runs as a worker thread");

const beat = new Int32Array(options.beat);
// The first beat says that the program is loaded.
Atomics.add(beat, 0, 1);
const beating = setInterval(() => Atomics.add(beat, 0, 1), BEAT_MS);
const post = (event: IndexerEvent): void => port.postMessage(event);
const stop = new AbortController();
let wake = (): void => {};
let awake = true;
let rebuild = false;

port.on("message", (command: IndexerCommand) => {
  if (command.kind === "rebuild") {
    // Of a database that is replaced already: nothing is left to do.
    if (inodeOf(options.file) !== command.inode) return;
    rebuild = true;
  }
  if (command.kind !== "wake") stop.abort();
  awake = true;
  wake();
});

/** Until the next message or the poll interval; at once when a message came meanwhile. */
async function sleep(): Promise<void> {
  if (!awake) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, options.pollMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  awake = false;
}

const module = (await import(options.sourceModule)) as { readonly openIndexSource: OpenIndexSource };
const source = await module.openIndexSource(options.sourceOptions);
const database = openWriter(options.file);
try {
  const writer = new IndexWriter(database);
  if (options.excused) writer.excuse();
  const { program, lastEnd } = options;
  const deps: FollowDeps = { source, writer, post, nowMs: () => performance.now(), program, lastEnd };
  // Before anybody can ask: a power cut may have taken back the last changes.
  await removeWithdrawn(deps, stop.signal);
  tellSetAside(deps);
  post({ kind: "ready", sequence: writer.cursor.sequence, withdrawn: writer.withdrawn });
  while (!stop.signal.aborted) {
    await removeWithdrawn(deps, stop.signal);
    await followBlobs(deps, stop.signal);
    await retryFailed(deps, stop.signal);
    await sleep();
  }
  if (rebuild) throw new FullTextError("INDEX_DAMAGED", { file: options.file });
} catch (error) {
  rebuild ||= isDamage(error);
  throw error;
} finally {
  clearInterval(beating);
  await source.close();
  database.close();
  if (rebuild) setAside(options.file);
}
port.close();
