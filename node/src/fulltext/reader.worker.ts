/** A reader thread: answers questions from its own connection, one at a time. */
import { parentPort, workerData } from "node:worker_threads";
import { Matcher } from "./matcher.ts";
import { presentDocuments } from "./presenter.ts";
import type { ReaderCall, ReaderReply } from "./reader-pool.ts";
import { openReader } from "./schema.ts";

const port = parentPort;
if (port === null) throw new Error("reader.worker.ts runs as a worker thread");
const database = openReader((workerData as { readonly file: string }).file);
const matcher = new Matcher(database, () => performance.now());
matcher.refresh();

function answer(call: ReaderCall): unknown {
  return call.kind === "match"
    ? matcher.match(call.question, performance.now() + call.softMs)
    : presentDocuments(database, matcher, call.question, call.docs);
}

port.on("message", ({ id, call }: { readonly id: number; readonly call: ReaderCall }) => {
  let reply: ReaderReply;
  try {
    reply = { id, value: answer(call) };
  } catch (error) {
    reply = { id, error: error instanceof Error ? error : new Error(String(error)) };
  }
  port.postMessage(reply);
});
port.postMessage({ id: 0, value: "ready" } satisfies ReaderReply);
