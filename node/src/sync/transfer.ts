/** Fetches one file from one peer: from where the last attempt ended, within its size, and whole only when its hash is right. */
import { rm, stat } from "node:fs/promises";
import type { PeerAnswer, PeerCalls } from "../peers/peer-calls.ts";
import { storageErrorOf } from "../storage/errors.ts";
import { SyncError } from "./errors.ts";
import { type AnswerPace, pacedAnswer } from "./paced-answer.ts";
import { PartFile, partPath } from "./part-file.ts";

export interface TransferDeps {
  readonly calls: Pick<PeerCalls, "stream">;
  /** Of the part files; on the archive's volume. */
  readonly folder: string;
  readonly checkRoom: (bytes: number) => Promise<void>;
  readonly received: (bytes: number) => void;
  readonly pace: AnswerPace;
  readonly monotonicMs: () => number;
}

export interface TransferRequest {
  readonly peer: string;
  readonly hash: string;
  /** As the peer listed it; absent when it did not say. */
  readonly size: number | undefined;
  readonly maxBytes: number;
}

export interface FetchedFile {
  readonly path: string;
  readonly hash: string;
  readonly size: number;
}

/** Longer waits are not believed. */
const MAX_RETRY_AFTER_S = 3_600;

/**
 * The file, flushed, in the folder of part files. What came stays there when the transfer is cut off.
 *
 * @throws {SyncError} the peer is at fault; {@link StorageError}; what the calls throw; the signal's reason
 */
export async function fetchFile(
  deps: TransferDeps,
  request: TransferRequest,
  signal: AbortSignal,
): Promise<FetchedFile> {
  const path = partPath(deps.folder, request.hash);
  try {
    await using part = await PartFile.open(path, { checkRoom: () => deps.checkRoom(0) }, signal);
    const resumed = part.size > 0;
    if ((await attempt(deps, request, part, signal)) === "whole") return { path, hash: request.hash, size: part.size };
    // What lay there from before may be to blame: once more, from the beginning.
    if (resumed) {
      await part.clear();
      if ((await attempt(deps, request, part, signal)) === "whole")
        return { path, hash: request.hash, size: part.size };
    }
    await part.clear();
    throw new SyncError("WRONG_BYTES", { reason: "they have another SHA-256" });
  } catch (error) {
    // Nothing came that a later attempt could go on from.
    if ((await stat(path).catch(() => undefined))?.size === 0) await rm(path, { force: true });
    throw storageErrorOf(error, path) ?? error;
  }
}

async function attempt(
  deps: TransferDeps,
  request: TransferRequest,
  part: PartFile,
  signal: AbortSignal,
): Promise<"whole" | "other"> {
  const { hash } = request;
  if (request.size !== undefined && part.size === request.size && part.size > 0) {
    return (await part.finish()) === hash ? "whole" : "other";
  }
  await deps.checkRoom(Math.max(0, (request.size ?? 0) - part.size));
  const ended = new AbortController();
  const call = AbortSignal.any([signal, ended.signal]);
  try {
    const range = { range: `bytes=${part.size}-`, "if-range": `"${hash}"` };
    const headers = { "accept-encoding": "identity", ...(part.size > 0 ? range : {}) };
    const answer = await deps.calls.stream(request.peer, { method: "GET", path: `/blob/${hash}`, headers }, call);
    const total = await expectedSize(answer, request, part);
    await receive(deps, answer.body, { part, total, request });
  } finally {
    // Also of an answer that was not read to its end.
    ended.abort();
  }
  return (await part.finish()) === hash ? "whole" : "other";
}

/** Size of the whole file as this answer says it; the part file then ends where the answer begins. */
async function expectedSize(
  { status, headers }: PeerAnswer,
  { size, maxBytes }: TransferRequest,
  part: PartFile,
): Promise<number | undefined> {
  // The part is longer than the file.
  if (status === 416) await part.clear();
  const total = sizeSaid({ status, headers }, part.size);
  if (status === 200) await part.clear();
  if (total !== undefined && total > maxBytes) throw new SyncError("TOO_LARGE", { size: total, limit: maxBytes });
  if (size !== undefined && (total ?? size) !== size) {
    throw new SyncError("WRONG_BYTES", { reason: `listed with ${size} bytes, sent with ${total}` });
  }
  return total ?? size;
}

function sizeSaid({ status, headers }: PeerAnswer, from: number): number | undefined {
  if (status !== 200 && status !== 206) throw statusError(status, headers["retry-after"]);
  const coding = headers["content-encoding"] ?? "identity";
  if (coding !== "identity") throw new SyncError("WRONG_BYTES", { reason: `encoded as ${coding}` });
  return status === 206 ? sizeOfRange(headers["content-range"], from) : sizeOfAll(headers["content-length"]);
}

function sizeOfAll(contentLength: string | undefined): number | undefined {
  return contentLength === undefined ? undefined : Number(contentLength);
}

function sizeOfRange(contentRange: string | undefined, from: number): number {
  const [, start, size] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/.exec(contentRange ?? "") ?? [];
  if (start === undefined || Number(start) !== from) {
    throw new SyncError("WRONG_BYTES", { reason: "another range than the one asked for" });
  }
  return Number(size);
}

/** @param retryAfter - seconds, as far as we believe it */
export function statusError(status: number, retryAfter: string | undefined): SyncError {
  if (status === 401 || status === 403 || status === 451) return new SyncError("REFUSED", { status });
  if (status === 404 || status === 410) return new SyncError("NOT_THERE", { status });
  if (status === 429 || status === 503) {
    const seconds = Math.min(MAX_RETRY_AFTER_S, Number(retryAfter ?? 1) || 1);
    return new SyncError("PEER_BUSY", { status, retryAfterMs: seconds * 1_000 });
  }
  return new SyncError("UNEXPECTED_STATUS", { status });
}

interface Receiving {
  readonly part: PartFile;
  readonly total: number | undefined;
  readonly request: TransferRequest;
}

async function receive(
  deps: TransferDeps,
  body: AsyncIterable<Uint8Array>,
  { part, total, request }: Receiving,
): Promise<void> {
  for await (const chunk of pacedAnswer(body, deps.pace, deps.monotonicMs)) {
    const size = part.size + chunk.length;
    if (size > (total ?? request.maxBytes)) {
      await part.clear();
      throw total === undefined
        ? new SyncError("TOO_LARGE", { size, limit: request.maxBytes })
        : new SyncError("WRONG_BYTES", { reason: `more than the ${total} bytes announced` });
    }
    deps.received(chunk.length);
    await part.append(chunk);
  }
  if (total !== undefined && part.size < total) throw new SyncError("CUT_OFF", { received: part.size });
}
