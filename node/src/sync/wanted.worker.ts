/** The thread that remembers wanted files and places in peers' lists, so that a restart goes on where the node was. */
import type { DatabaseSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { openForWriting } from "../storage/database.ts";
import { answerCalls } from "../storage/worker-calls.ts";
import type { WantedCalls } from "./wanted-calls.ts";
import { MIGRATIONS, wantedQueries } from "./wanted-queries.ts";

const file = workerData as string;
let opened: { readonly database: DatabaseSync; readonly calls: WantedCalls } | undefined;

function open(): WantedCalls {
  if (opened === undefined) {
    const database = openForWriting(file, MIGRATIONS);
    opened = { database, calls: wantedQueries(database) };
  }
  return opened.calls;
}

const calls: WantedCalls = {
  load: (pairs) => open().load(pairs),
  reset: (pair) => open().reset(pair),
  page: (input) => open().page(input),
  due: (input) => open().due(input),
  nextDue: (pair) => open().nextDue(pair),
  failed: (input) => open().failed(input),
  done: (input) => open().done(input),
  drop: (input) => open().drop(input),
  limit: (input) => open().limit(input),
  missing: (input) => open().missing(input),
  wanted: (hashes) => open().wanted(hashes),
};

answerCalls(calls, { name: "sync", file, close: () => opened?.database.close() });
