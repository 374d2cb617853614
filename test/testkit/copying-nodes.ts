/** Real nodes that copy files from each other: each on a folder and a port that outlive its process. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { CommandName, CommandParams, CommandResults } from "../../node/src/control/commands.ts";
import { askRunningNode } from "../../node/src/control/control-client.ts";
import type { PolicyRow } from "../../node/src/control/reports.ts";
import { type ArchiveNodeProcess, startArchiveNode } from "./archive-node-process.ts";
import { freePort } from "./free-port.ts";
import { runNodeCommand } from "./node-command.ts";
import { tempDir } from "./temp-dir.ts";
import { DEFAULT_COLLECTION, NodeArchive, type SampleFile } from "./uploads.ts";
import { waitUntil } from "./wait-until.ts";

export const COPYING_MS = 120_000;

const ended: (() => Promise<unknown>)[] = [];

/** Ends everything that was started, last first. */
export async function endNodes(): Promise<void> {
  for (const end of ended.splice(0).reverse()) await end();
}

/** A node on a folder and a port that outlive it. */
export class Place {
  readonly dataDir: string;
  readonly #port: number;
  readonly #args: readonly string[];
  #node: ArchiveNodeProcess | undefined;

  constructor(dataDir: string, port: number, args: readonly string[]) {
    this.dataDir = dataDir;
    this.#port = port;
    this.#args = args;
  }

  get node(): ArchiveNodeProcess {
    if (this.#node === undefined) throw new Error("the node does not run");
    return this.#node;
  }

  async start(): Promise<ArchiveNodeProcess> {
    this.#node = await startArchiveNode({ dataDir: this.dataDir, port: this.#port, metrics: true, args: this.#args });
    return this.#node;
  }

  async kill(): Promise<void> {
    await this.node.kill();
    this.#node = undefined;
  }

  async end(): Promise<void> {
    await this.#node?.stop();
  }

  /** A metric's present value, by its name and labels as they stand in the text. @throws {Error} there is none such */
  async metric(series: string): Promise<number> {
    const text = await (await fetch(`${this.node.metricsUrl}/metrics`)).text();
    const line = text.split("\n").find((one) => one.startsWith(`${series} `));
    if (line === undefined) throw new Error(`no metric ${series}`);
    return Number(line.slice(series.length + 1));
  }

  /** Bytes that came from peers since it started. */
  receivedBytes(): Promise<number> {
    return this.metric('archivestream_sync_bytes_total{direction="received"}');
  }

  /** What the command does to a running node, without a process of its own for each. */
  async ask<C extends CommandName>(name: C, params: CommandParams<C>): Promise<CommandResults[C]> {
    const answer = await askRunningNode(this.dataDir, name, params);
    if (answer === undefined) throw new Error(`no node runs on ${this.dataDir}`);
    return answer.result;
  }

  async command(...args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await runNodeCommand(...args, "--data", this.dataDir);
    if (exitCode !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
  }
}

/** A node that is killed, or ended by `endNodes`. */
export async function place(args: readonly string[] = []): Promise<Place> {
  const dir = await tempDir("federation-sync");
  const made = new Place(dir.path, await freePort(), args);
  ended.push(() => dir.remove());
  await made.start();
  ended.push(() => made.end());
  return made;
}

/**
 * Two private nodes that added each other.
 *
 * @param wayToFirst - where the second finds the first, such as a proxy before it; its own address when absent
 */
export async function pair(wayToFirst: (a: Place) => string = (a) => a.node.url) {
  const [a, b] = [await place(), await place()];
  await a.command("peer", "add", b.node.url, "--node-id", b.node.nodeId);
  await b.command("peer", "add", wayToFirst(a), "--node-id", a.node.nodeId);
  return { a, b };
}

export async function upload(at: Place, file: SampleFile, name: string): Promise<void> {
  await using archive = new NodeArchive(at.node);
  const { status } = await archive.upload(file.bytes, DEFAULT_COLLECTION, `?filename=${name}`);
  if (status !== 201) throw new Error(`the upload of ${name} was answered with ${status}`);
}

export const copied = (b: Place, count: number) => policyRow(b, `${count} files held`, (row) => row.held === count);

/** Waits until a policy of the node stands so. @throws {Error} with how it stood last, and the end of the node's log */
export async function policyRow(b: Place, what: string, fits: (row: PolicyRow) => boolean): Promise<PolicyRow> {
  let seen: readonly PolicyRow[] = [];
  const look = async () => {
    seen = await b.ask("policy-list", {});
    return seen.find(fits);
  };
  return waitUntil(what, look, { deadlineMs: COPYING_MS }).catch((error: unknown) => {
    throw new Error(`${JSON.stringify(seen)}\n${b.node.log().slice(-3_000)}`, { cause: error });
  });
}

export function partSize(b: Place, hash: string): Promise<number> {
  return stat(join(b.dataDir, "transfers", `${hash}.part`)).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Waits until more than so many bytes of a file came, or all of it did. */
export async function under(b: Place, hash: string, bytes: number): Promise<number> {
  return waitUntil("the transfer", async () => (await partSize(b, hash)) || undefined, {
    ...{ deadlineMs: COPYING_MS, everyMs: 2 },
  }).then(() =>
    waitUntil(
      "its middle",
      async () => {
        const size = await partSize(b, hash);
        return size >= bytes || size === 0 ? Math.max(size, 1) : undefined;
      },
      { deadlineMs: COPYING_MS, everyMs: 2 },
    ),
  );
}
