/** Counts requests in the API server's audit log as it grows: read once, kept as numbers. */
import { open } from "node:fs/promises";
import type { AuditedRequest } from "../../testkit/operator-under-test.ts";

export interface RequestCount {
  readonly user: string;
  readonly verb: string;
  /** Plural, with its subresource: `archivenodes/status`. */
  readonly resource: string;
  readonly namespace: string;
  readonly count: number;
}

const READING = new Set(["get", "list", "refused list", "watch"]);
const CHUNK_BYTES = 8 * 2 ** 20;

export class AuditTail {
  readonly #path: string;
  readonly #counts = new Map<string, RequestCount>();
  #offset = 0;
  #rest = "";

  constructor(path: string) {
    this.#path = path;
  }

  /** Everything answered so far. */
  async counts(): Promise<readonly RequestCount[]> {
    await using file = await open(this.#path, "r");
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, this.#offset);
      if (bytesRead === 0) return [...this.#counts.values()];
      this.#offset += bytesRead;
      // Names and paths are ASCII: a cut inside a character cannot happen where it would be read.
      const lines = (this.#rest + chunk.toString("latin1", 0, bytesRead)).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") this.#count(JSON.parse(line) as AuditedRequest);
    }
  }

  #count({ user, verb, objectRef, requestURI, responseStatus }: AuditedRequest): void {
    const subresource = objectRef?.subresource === undefined ? "" : `/${objectRef.subresource}`;
    const resource = `${objectRef?.resource ?? ""}${subresource}`;
    const isListing = verb === "list" || (verb === "watch" && requestURI.includes("sendInitialEvents=true"));
    // A kind that the cluster does not have is looked for again and again; that gives no list.
    const listing = (responseStatus?.code ?? 0) < 400 ? "list" : "refused list";
    const request = {
      user: user.username,
      verb: isListing ? listing : verb,
      resource,
      namespace: objectRef?.namespace ?? "",
    };
    const key = Object.values(request).join(" ");
    this.#counts.set(key, { ...request, count: (this.#counts.get(key)?.count ?? 0) + 1 });
  }
}

/** What changes the cluster, but Lease renewals. */
export function isWrite({ verb, resource }: RequestCount): boolean {
  return !READING.has(verb) && resource !== "leases";
}

export function total(counts: readonly RequestCount[], wanted: (count: RequestCount) => boolean): number {
  return counts.filter(wanted).reduce((sum, { count }) => sum + count, 0);
}

/** Sums under the name that `nameOf` gives each; largest first. */
export function grouped(
  counts: readonly RequestCount[],
  nameOf: (count: RequestCount) => string | undefined,
): readonly (readonly [name: string, count: number])[] {
  const sums = new Map<string, number>();
  for (const one of counts) {
    const name = nameOf(one);
    if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + one.count);
  }
  return [...sums].sort(([, a], [, b]) => b - a);
}
