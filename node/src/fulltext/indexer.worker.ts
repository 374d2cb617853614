/**
 * The writer thread: follows the sequence of blobs and indexes them, until told to stop. The only thread that writes the
 * database. Wakes on a message (a blob was committed) and, in case one was missed, by itself every few seconds.
 */
import { parentPort, workerData } from "node:worker_threads";
import { FullTextError } from "./errors.ts";
import { followBlobs } from "./follow-blobs.ts";
import { IndexWriter } from "./index-writer.ts";
import type { IndexerCommand, IndexerEvent, IndexerOptions } from "./indexer.ts";
import { inodeOf, isDamage, openWriter, setAside } from "./schema.ts";
import type { OpenIndexSource } from "./source.ts";

const options = workerData as IndexerOptions;
const port = parentPort;
if (port === null) throw new Error("indexer.worker.ts runs as a worker thread");

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
  post({ kind: "ready", sequence: writer.cursor.sequence });
  while (!stop.signal.aborted) {
    await followBlobs({ source, writer, post, nowMs: () => performance.now() }, stop.signal);
    await sleep();
  }
  if (rebuild) throw new FullTextError("INDEX_DAMAGED", { file: options.file });
} catch (error) {
  rebuild ||= isDamage(error);
  throw error;
} finally {
  await source.close();
  database.close();
  if (rebuild) setAside(options.file);
}
port.close();
