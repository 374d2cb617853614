/** Archives of the test's own process that copy from each other, and servers in the place of a peer that do as the test wants. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import type { Archive } from "../../node/src/archive/open-archive.ts";
import type { NodeConfig } from "../../node/src/contract/config-schema.ts";
import type { FederationDocument, PolicyEntry } from "../../node/src/contract/documents.ts";
import { createLogger } from "../../node/src/observability/logging.ts";
import { createSyncMetrics } from "../../node/src/sync/metrics.ts";
import type { PolicyLine } from "../../node/src/sync/report.ts";
import { createSync, type Sync } from "../../node/src/sync/sync.ts";
import { CALLERS, configOf, federationApp, startedArchive } from "./archive-in-process.ts";
import { type LoopbackCalls, loopbackCalls } from "./loopback-calls.ts";
import { type TempDir, tempDir } from "./temp-dir.ts";
import { waitUntil } from "./wait-until.ts";

export const OPEN = { embargoSeconds: 0, exclude: [] };
export const PUBLIC = [{ name: "default", access: "Public", ...OPEN }] as const satisfies NodeConfig["collections"];
export const PEER = "a".repeat(64);
const SELF = "b".repeat(64);
export const DEADLINE_MS = 60_000;
const POLICY: PolicyEntry = { name: "copies", intervalSeconds: 1 };

const ended: (() => Promise<unknown>)[] = [];

/** Ends everything that was started, last first. */
export async function endAll(): Promise<void> {
  for (const end of ended.splice(0).reverse()) await end();
}

async function folder(): Promise<TempDir> {
  const dir = await tempDir("federation-pull");
  ended.push(() => dir.remove());
  return dir;
}

async function archiveWith(collections: NodeConfig["collections"], limits: Partial<NodeConfig["limits"]> = {}) {
  const dir = await folder();
  const base = configOf(dir.path, collections);
  const config = { ...base, limits: { ...base.limits, ...limits } };
  const archive = await startedArchive(config);
  ended.push(() => archive.stop(AbortSignal.timeout(DEADLINE_MS)));
  return { dir: dir.path, config, archive };
}

/** An archive that peers can call. */
export async function holder(collections: NodeConfig["collections"] = PUBLIC) {
  const held = await archiveWith(collections);
  const offers = { offered: async () => [] };
  const sent = { blob: () => {}, bytes: () => {} };
  const app = await federationApp(held.archive, held.config, { isPrivate: () => true, hasStore: true, offers, sent });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  ended.push(() => app.close());
  return { ...held, url, app };
}

export interface Puller {
  readonly sync: Sync;
  readonly calls: LoopbackCalls;
  readonly archive: Archive;
  readonly dir: string;
  readonly registry: Registry;
  /** Ends the component and begins another one on the same folder. */
  readonly again: () => Promise<Puller>;
}

export interface PullerOptions {
  readonly address: () => string | undefined;
  readonly policies?: readonly PolicyEntry[];
  readonly collections?: NodeConfig["collections"];
  readonly limits?: Partial<NodeConfig["limits"]>;
}

export async function puller(options: PullerOptions): Promise<Puller> {
  const held = await archiveWith(options.collections ?? PUBLIC, options.limits);
  return onFolder(options, held);
}

async function onFolder(options: PullerOptions, held: Awaited<ReturnType<typeof archiveWith>>): Promise<Puller> {
  const calls = loopbackCalls(options.address, CALLERS.trusted.authorization);
  const registry = new Registry();
  const document: FederationDocument = {
    ...{ sequence: 1, issuedAt: "2026-01-02T03:04:05Z", node: "b", digest: "" },
    peers: [{ nodeID: PEER, endpoints: [] }],
    policies: [...(options.policies ?? [POLICY])],
  };
  const sync = createSync({
    ...{ config: held.config, nodeId: SELF, archive: held.archive.services, calls, federation: () => document },
    ...{ metrics: createSyncMetrics(registry), logger: createLogger("error", "test") },
  });
  await sync.start(AbortSignal.timeout(DEADLINE_MS));
  let isOver = false;
  const stop = async () => {
    if (isOver) return;
    isOver = true;
    await sync.stop(AbortSignal.timeout(DEADLINE_MS));
    await calls[Symbol.asyncDispose]();
  };
  ended.push(stop);
  const again = async () => {
    await stop();
    return onFolder(options, held);
  };
  return { sync, calls, archive: held.archive, dir: held.dir, registry, again };
}

export const soon = <T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false) =>
  waitUntil(what, look, { deadlineMs: DEADLINE_MS });

export async function line({ sync }: Puller, fits: (line: PolicyLine) => boolean): Promise<PolicyLine> {
  let seen: readonly PolicyLine[] = [];
  try {
    return await soon("the policy to stand so", async () => {
      seen = await sync.list();
      return seen.find(fits);
    });
  } catch (error) {
    throw new Error(`${(error as Error).message}: ${JSON.stringify(seen)}`, { cause: error });
  }
}
export const missingFor = (reason: string) => (one: PolicyLine) => one.missing[0]?.reason === reason;

/** A peer that answers as the test wants. */
export async function engineered(answer: (path: string, response: ServerResponse, range: string | undefined) => void) {
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? "").replace("/api/v1/federation", "");
    answer(path, response, request.headers.range);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ended.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** Lists one file of a Public collection, whatever it then sends. */
export function listing(
  hash: string,
  size: number,
  blob: (response: ServerResponse, range: string | undefined) => void,
) {
  return engineered((path, response, range) => {
    if (path === "/collections") json(response, { collections: [{ name: "default", access: "Public" }] });
    else if (path.startsWith("/sync/changes")) {
      const items = path.includes("since=")
        ? []
        : [{ seq: 1, op: "have", hash, size, t: 0, media: "application/gzip" }];
      json(response, { epoch: "e", items, next: "e:1", more: false });
    } else blob(response, range);
  });
}
