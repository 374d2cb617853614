/** Copying files from peers as one component: follows the federation document, takes offers, and reports. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { HoldingQueries, IntakeService } from "../archive/archive.ts";
import type { NodeConfig } from "../contract/config-schema.ts";
import type { FederationDocument } from "../contract/documents.ts";
import type { AdminPolicies, MissingReason } from "../contract/federation-reports.ts";
import type { Component } from "../lifecycle/component.ts";
import type { Logger } from "../observability/logging.ts";
import type { PeerCalls } from "../peers/peer-calls.ts";
import { ItemFetch } from "./item-fetch.ts";
import type { SyncMetrics } from "./metrics.ts";
import { PeerLists } from "./peer-lists.ts";
import { planTargets } from "./plan.ts";
import { Puller } from "./puller.ts";
import { adminPolicies, type PolicyLine, policyLines } from "./report.ts";
import { TransferSlots } from "./transfer-slots.ts";
import { WantedStore } from "./wanted-store.ts";

export interface SyncParts {
  readonly config: NodeConfig;
  readonly nodeId: string;
  readonly archive: {
    readonly holdings: Pick<HoldingQueries, "heldOf" | "withdrawnOf">;
    readonly intake: IntakeService;
  };
  readonly calls: PeerCalls;
  /** The document in force; asked often. */
  readonly federation: () => FederationDocument | undefined;
  readonly metrics: SyncMetrics;
  readonly logger: Logger;
}

export interface Sync extends Component {
  /** For the admin port: moves only when something happens. */
  readonly policies: () => AdminPolicies;
  /** For people: with counts, and the hashes of what is missing. */
  readonly list: () => Promise<readonly PolicyLine[]>;
  /** Takes a list of hashes that a proven peer holds. @returns those that will be fetched */
  readonly offered: (
    peer: string,
    offer: { readonly collection: string; readonly hashes: readonly string[] },
    signal: AbortSignal,
  ) => Promise<readonly string[]>;
}

/** The document is compared this often; whoever changes it needs no way to tell us. */
const FOLLOW_MS = 1_000;
const SLOTS = { overall: 8, perPeer: 4 };
/** 16 KiB in each 20 s of waiting, as for uploads. */
const PACE = { windowMs: 20_000, windowBytes: 16 * 1024 };

export function createSync(parts: SyncParts): Sync {
  const { config, metrics } = parts;
  const lifetime = new AbortController();
  const folder = join(config.dataDir, "transfers");
  let puller: Puller | undefined;
  let followed = "";
  let following: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const follow = async (): Promise<void> => {
    const document = parts.federation();
    const key = document === undefined ? "" : JSON.stringify([document.policies, document.peers]);
    if (key === followed || lifetime.signal.aborted) return;
    followed = key;
    const policies = document?.policies ?? [];
    // No thread and no file before there is a policy.
    if (puller === undefined && policies.length === 0) return rm(folder, { recursive: true, force: true });
    puller ??= createPuller(parts, folder, lifetime.signal);
    const collections = config.collections.map(({ name }) => name);
    const input = { nodeId: parts.nodeId, collections };
    await puller.follow(policies, document === undefined ? [] : planTargets({ document, ...input }));
  };
  const look = (): void => {
    following = following.then(follow).catch((error: unknown) => {
      followed = "";
      parts.logger.error({ err: error }, "the policies could not be followed; they are looked at again");
    });
  };
  metrics.watchMissing((reason) => missingOf(puller, reason));
  return {
    name: "sync",
    start: async () => {
      if (!config.capabilities.includes("store")) return;
      look();
      timer = setInterval(look, FOLLOW_MS);
      timer.unref();
    },
    stop: async () => {
      clearInterval(timer);
      lifetime.abort(new DOMException("the node stops", "AbortError"));
      await following;
      await puller?.stop();
    },
    policies: () => adminPolicies(puller?.policies ?? [], puller?.targets ?? []),
    list: () => policyLines(puller?.targets ?? []),
    offered: async (peer, { collection, hashes }, signal) =>
      (await puller?.find(peer, collection)?.offered(hashes, signal)) ?? [],
  };
}

function createPuller(parts: SyncParts, folder: string, lifetime: AbortSignal): Puller {
  const { config, archive, calls, metrics, logger } = parts;
  const clocks = { nowMs: () => Date.now(), random: () => Math.random() };
  const monotonicMs = () => performance.now();
  const { holdings, intake } = archive;
  const transfer = {
    ...{ calls, folder, checkRoom: (bytes: number) => intake.checkRoom(bytes), received: metrics.received.bytes },
    ...{ pace: PACE, monotonicMs },
  };
  const slots = new TransferSlots(SLOTS);
  const access = new Map(config.collections.map((collection) => [collection.name, collection.access]));
  return new Puller({
    ...clocks,
    ...{ folder, holdings, logger, ran: metrics.ran, maxBytes: config.limits.uploadBytes },
    store: new WantedStore(join(config.dataDir, "sync.db"), (error) =>
      logger.warn({ err: error }, "the list of wanted files could not be read; peers are asked for theirs again"),
    ),
    lists: new PeerLists(calls, monotonicMs, lifetime),
    items: new ItemFetch({ ...clocks, transfer, slots, holdings, intake, stored: metrics.received.blob }),
    accessOf: (name) => access.get(name) ?? "Public",
  });
}

function missingOf(puller: Puller | undefined, reason: MissingReason): number {
  return (puller?.targets ?? []).reduce((sum, target) => sum + (target.counts.missing.get(reason) ?? 0), 0);
}
