/** A thread that answers questions about the catalog. Opens it at its first call, when the writer has made it. */
import type { DatabaseSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { openForReading } from "../storage/database.ts";
import { answerCalls } from "../storage/worker-calls.ts";
import type { CatalogFiles, CatalogReads } from "./catalog-calls.ts";
import { catalogQueries } from "./catalog-queries.ts";

const files = workerData as CatalogFiles;
let database: DatabaseSync | undefined;
let queries: CatalogReads | undefined;

function open(): CatalogReads {
  database ??= openForReading(files.database);
  queries ??= catalogQueries(database);
  return queries;
}

const reads: CatalogReads = {
  scan: (input) => open().scan(input),
  blob: (input) => open().blob(input),
  blobs: (input) => open().blobs(input),
  blobsAfter: (input) => open().blobsAfter(input),
  blobCaptures: (input) => open().blobCaptures(input),
  withdrawn: (input) => open().withdrawn(input),
  withdrawnOf: (input) => open().withdrawnOf(input),
  wasWithdrawn: (hash) => open().wasWithdrawn(hash),
  withdrawnAfter: (input) => open().withdrawnAfter(input),
  holds: (hash) => open().holds(hash),
  holders: (hash) => open().holders(hash),
  heldOf: (input) => open().heldOf(input),
  changes: (input) => open().changes(input),
  lastSequence: () => open().lastSequence(),
  count: () => open().count(),
};

answerCalls(reads, { name: "catalog reader", file: files.database, close: () => database?.close() });
