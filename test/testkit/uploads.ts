/** Uploads to a node under test and what it then says of them. */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { BlobState } from "../../node/src/archive/archive.ts";
import type { ArchiveNodeProcess } from "./archive-node-process.ts";
import { type Answer, type NodeClient, nodeClient } from "./node-client.ts";
import { waitUntil } from "./wait-until.ts";
import { gzipEach, httpResponse, warcinfo, warcRecord } from "./warc-builder.ts";

export const DEFAULT_COLLECTION = "default";
/** Also behind files of thousands of pages on a slow machine. */
const SEARCHABLE_MS = 180_000;
const INCOMING_MS = 60_000;

export interface SampleFile {
  readonly bytes: Buffer;
  /** Hex. */
  readonly sha256: string;
  readonly urls: readonly string[];
  /** A word that is on its pages and nowhere else. */
  readonly word: string;
}

export interface SampleSpec {
  /** Letters and digits; makes URLs and words of the file its own. */
  readonly name: string;
  readonly pages: number;
  /** Incompressible bytes added to each page, so that a file has a size. */
  readonly padding?: Uint8Array;
  readonly date?: string;
}

/** A gzipped WARC file of HTML pages. */
export function sampleFile({ name, pages, padding, date }: SampleSpec): SampleFile {
  const word = `word${name}`;
  const urls = Array.from({ length: pages }, (_none, page) => `https://${name}.example.org/page/${page}`);
  const records = urls.map((uri) => {
    const comment = padding === undefined ? "" : `<!-- ${Buffer.from(padding).toString("base64")} -->`;
    const body = `<html><title>${name}</title><p>${word} on ${uri}</p>${comment}</html>`;
    return warcRecord({ uri, block: httpResponse({ body }), ...(date === undefined ? {} : { date }) });
  });
  const bytes = gzipEach([warcinfo(), ...records]);
  return { bytes, sha256: sha256Of(bytes), urls, word };
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Files that a node under test is receiving. */
export function incoming(dataDir: string): Promise<readonly string[]> {
  return readdir(join(dataDir, "incoming"));
}

/** A moment's wait: every few seconds a node writes a file there, to see whether the volume takes it. What is left over stays. */
export async function nothingIncoming(dataDir: string): Promise<void> {
  await waitUntil("nothing to be on the way", async () => (await incoming(dataDir)).length === 0, {
    deadlineMs: INCOMING_MS,
  });
}

/** A node under test through its API. */
export class NodeArchive implements AsyncDisposable {
  readonly #node: Pick<ArchiveNodeProcess, "url" | "caPem" | "token">;
  readonly #client: NodeClient;

  constructor(node: Pick<ArchiveNodeProcess, "url" | "caPem" | "token">) {
    this.#node = node;
    this.#client = nodeClient(node.url, { ca: node.caPem });
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#client.call(path, { headers: { ...this.#authorization, ...headers } });
  }

  head(path: string): Promise<Answer> {
    return this.#client.call(path, { method: "HEAD", headers: this.#authorization });
  }

  upload(body: Uint8Array | AsyncIterable<Uint8Array>, collection = DEFAULT_COLLECTION, query = ""): Promise<Answer> {
    return this.#client.call(`/api/v1/collections/${collection}/warcs${query}`, {
      method: "POST",
      headers: { ...this.#authorization, "content-type": "application/warc" },
      body: body as Uint8Array,
    });
  }

  withdraw(hash: string, collection = DEFAULT_COLLECTION): Promise<Answer> {
    const path = `/api/v1/collections/${collection}/warcs/${hash}`;
    return this.#client.call(path, { method: "DELETE", headers: this.#authorization });
  }

  /** CDX lines of one URL, as CDXJ. */
  async cdx(url: string, collection = DEFAULT_COLLECTION): Promise<readonly string[]> {
    const answer = await this.get(`/${collection}/cdx?url=${encodeURIComponent(url)}`);
    if (answer.status === 404) return [];
    if (answer.status !== 200) throw new Error(`CDX answered ${answer.status}: ${answer.text}`);
    return answer.text.split("\n").filter((line) => line !== "");
  }

  /** URLs found, best first. */
  async search(q: string, collection = DEFAULT_COLLECTION): Promise<readonly string[]> {
    // The longest: a node with peers answers with what it has by then, on a busy machine with nothing.
    const more = `&collection=${collection}&limit=50&timeout_ms=10000`;
    const answer = await this.get(`/api/v1/search?q=${encodeURIComponent(q)}${more}`);
    if (answer.status !== 200) throw new Error(`search answered ${answer.status}: ${answer.text}`);
    return (answer.json as { hits: readonly { url: string }[] }).hits.map((hit) => hit.url);
  }

  /** Waits until a file can be searched. */
  async searchable(hash: string, collection = DEFAULT_COLLECTION): Promise<void> {
    await waitUntil(`${hash} to be searchable`, async () => (await this.state(hash, collection)) === "searchable", {
      deadlineMs: SEARCHABLE_MS,
    });
  }

  async state(hash: string, collection = DEFAULT_COLLECTION): Promise<BlobState | undefined> {
    const answer = await this.get(`/api/v1/collections/${collection}/warcs/${hash}`);
    return answer.status === 200 ? (answer.json as { state: BlobState }).state : undefined;
  }

  content(hash: string, collection = DEFAULT_COLLECTION, headers: Readonly<Record<string, string>> = {}) {
    return this.get(`/api/v1/collections/${collection}/warcs/${hash}/content`, headers);
  }

  /** Hashes of all files of a collection. */
  async hashes(collection = DEFAULT_COLLECTION): Promise<readonly string[]> {
    const all: string[] = [];
    for (let after = ""; ; ) {
      const answer = await this.get(`/api/v1/collections/${collection}/warcs?limit=1000${after}`);
      const page = answer.json as { blobs: readonly { hash: string }[]; next?: string };
      all.push(...page.blobs.map((blob) => blob.hash));
      if (page.next === undefined) return all;
      after = `&after=${page.next}`;
    }
  }

  get #authorization() {
    return { authorization: `Bearer ${this.#node.token}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
