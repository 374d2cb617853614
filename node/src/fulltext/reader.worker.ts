/**
 * A reader thread: answers questions from its own connection, one at a time. Opens the file anew when it is another one:
 * the indexer replaces a damaged database.
 */
import type { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { Matcher } from "./matcher.ts";
import { presentDocuments } from "./presenter.ts";
import type { ReaderCall, ReaderReply } from "./reader-pool.ts";
import { inodeOf, isDamage, openReader } from "./schema.ts";

const port = parentPort;
if (port === null) throw new Error("reader.worker.ts runs as a worker thread");
const { file } = workerData as { readonly file: string };

interface Reading {
  readonly inode: number | undefined;
  readonly database: DatabaseSync;
  readonly matcher: Matcher;
}

function open(): Reading {
  const inode = inodeOf(file);
  const database = openReader(file);
  const matcher = new Matcher(database, () => performance.now());
  matcher.refresh();
  return { inode, database, matcher };
}

const failed = (id: number, error: unknown, inode: number | undefined): ReaderReply => ({
  id,
  error: error instanceof Error ? error : new Error(String(error)),
  damaged: isDamage(error) ? inode : undefined,
});

function openFirst(): Reading {
  try {
    return open();
  } catch (error) {
    port?.postMessage(failed(0, error, inodeOf(file)));
    throw error;
  }
}

let reading = openFirst();

/** The open database, or the one that took its place. While there is none, the old one still answers. */
function current(): Reading {
  const inode = inodeOf(file);
  if (inode === undefined || inode === reading.inode) return reading;
  const replaced = open();
  reading.database.close();
  reading = replaced;
  return reading;
}

function answer(call: ReaderCall): unknown {
  const { database, matcher } = current();
  if (call.kind === "match") return matcher.match(call.question, performance.now() + call.softMs);
  if (call.kind === "candidates") {
    return matcher.candidates(call.question, call.limit, performance.now() + call.softMs);
  }
  return presentDocuments(database, matcher, call.question, call.docs);
}

port.on("message", ({ id, call }: { readonly id: number; readonly call: ReaderCall }) => {
  let reply: ReaderReply;
  try {
    reply = { id, value: answer(call) };
  } catch (error) {
    reply = failed(id, error, reading.inode);
  }
  port.postMessage(reply);
});
port.postMessage({ id: 0, value: "ready" } satisfies ReaderReply);
