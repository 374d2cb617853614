/**
 * An archive reduced to what the full-text indexer sees: a file with one blob of captures per line. Runs the real indexer,
 * readers and search over texts of a test's choosing; tests append lines while the indexer runs.
 */
import { appendFile, readFile } from "node:fs/promises";
import type { IndexSource, SourceBlob, SourceCapture, WithdrawnBlob } from "../../node/src/fulltext/source.ts";

export interface ListedCapture {
  readonly url: string;
  readonly timestamp: string;
  readonly digest: string;
  readonly mime?: string;
  readonly contentType?: string;
  readonly revisit?: boolean;
  /** The payload itself, or the file that holds it. */
  readonly text?: string;
  readonly file?: string;
}

export interface ListedBlob extends SourceBlob {
  readonly captures: readonly ListedCapture[];
}

/** The blob of an earlier line is no more. */
export interface ListedWithdrawal extends WithdrawnBlob {
  readonly captures?: never;
}

export async function listBlob(list: string, blob: ListedBlob | ListedWithdrawal): Promise<void> {
  await appendFile(list, `${JSON.stringify(blob)}\n`);
}

/** `https://www.example.org/a` -> `org,example,www)/a`; enough for the hosts of tests. */
export function listedKey(url: string): string {
  const { hostname, pathname, search } = new URL(url);
  return `${hostname.split(".").toReversed().join(",")})${pathname}${search}`.toLowerCase();
}

/** Texts at which reading fails, or its thread hangs, outgrows its heap, or ends. */
export const POISON = {
  unreadable: "\u0000unreadable",
  endless: "\u0000endless",
  memory: "\u0000memory",
  exit: "\u0000exit",
} as const;

function misbehave(text: string): void {
  if (text === POISON.unreadable) throw new Error("the payload cannot be read");
  if (text === POISON.exit) process.exit(9);
  const kept: unknown[] = [];
  while (text === POISON.endless || text === POISON.memory) {
    if (text === POISON.memory) kept.push(Array.from({ length: 1_000 }, (_none, n) => ({ n })));
  }
}

function toCapture(listed: ListedCapture): SourceCapture {
  return {
    url: listed.url,
    urlkey: listedKey(listed.url),
    timestamp: listed.timestamp,
    digest: listed.digest,
    mime: listed.mime ?? "text/html",
    revisit: listed.revisit ?? false,
    payload: async (capBytes) => {
      misbehave(listed.text ?? "");
      const body = listed.file === undefined ? Buffer.from(listed.text ?? "", "utf8") : await readFile(listed.file);
      return { contentType: listed.contentType, body: body.subarray(0, capBytes) };
    },
  };
}

/** Found by the indexer's worker. */
export function openIndexSource(options: unknown): IndexSource {
  const { list } = options as { readonly list: string };
  const read = async (): Promise<(ListedBlob | ListedWithdrawal)[]> => {
    const lines = (await readFile(list, "utf8")).split("\n");
    // The last piece has no newline yet: it is still being written.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as ListedBlob | ListedWithdrawal);
  };
  const withdrawals = async () => (await read()).filter((line) => line.captures === undefined);
  const blobs = async (): Promise<ListedBlob[]> => {
    const gone = new Set((await withdrawals()).map(({ blob }) => blob));
    return (await read()).filter((line) => line.captures !== undefined).filter(({ sequence }) => !gone.has(sequence));
  };
  return {
    blobsAfter: async (sequence, limit) => (await blobs()).filter((blob) => blob.sequence > sequence).slice(0, limit),
    captures: async function* (blob) {
      for (const capture of (blob as ListedBlob).captures) yield toCapture(capture);
    },
    withdrawnAfter: async (sequence, limit) =>
      (await withdrawals()).filter((line) => line.sequence > sequence).slice(0, limit),
    close: async () => {},
  };
}
