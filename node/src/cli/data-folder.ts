/** Carries a command out on a data folder: by the node that runs on it, or else by this process while it holds the folder's lock. */
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { embeddedConfig } from "../config/config.ts";
import { StartError } from "../config/errors.ts";
import {
  type CommandContext,
  type CommandName,
  type CommandParams,
  type CommandResults,
  runControlCommand,
} from "../control/commands.ts";
import { askRunningNode } from "../control/control-client.ts";
import { keptAsSeen, readKeptPeers } from "../gossip/peer-file.ts";
import { hasOthersDocuments, openLocalDocuments } from "../identity/local-documents.ts";
import { ensureLocalIdentity, localNodeId } from "../identity/local-identity.ts";
import { tokenFileOf } from "../identity/node-identity.ts";
import { isHeldByAnother, lockDataFolder } from "../storage/data-lock.ts";

/** A node that starts or ends has the lock, but no socket yet or any more. */
const BUSY_MS = 20_000;
const BUSY_PAUSE_MS = 250;
const COMMAND_MS = 20_000;

/** @throws {StartError} `BAD_USAGE` */
export function dataFolderOf(data: string | undefined): string {
  if (data === undefined) throw new StartError("BAD_USAGE", { reason: "--data DIR is missing" });
  return resolve(data);
}

/** @throws {ControlError} @throws {IdentityError} @throws {StartError} `DATA_UNUSABLE` */
export async function commandOn<C extends CommandName>(
  dataDir: string,
  name: C,
  params: CommandParams<C>,
): Promise<CommandResults[C]> {
  const deadline = Date.now() + BUSY_MS;
  for (;;) {
    const answer = await askRunningNode(dataDir, name, params);
    if (answer !== undefined) return answer.result;
    try {
      using _lock = lockDataFolder(dataDir);
      const context = await stoppedNode(dataDir);
      return await runControlCommand(name, context, params, AbortSignal.timeout(COMMAND_MS));
    } catch (error) {
      if (!isHeldByAnother(error) || Date.now() > deadline) throw error;
    }
    await delay(BUSY_PAUSE_MS);
  }
}

/** The id of the identity in a folder, made when there is none yet: ids can be exchanged before a node first runs. */
export async function nodeIdIn(dataDir: string): Promise<string> {
  const held = await localNodeId(localFilesOf(dataDir).keys);
  if (held !== undefined) return held;
  using _lock = lockDataFolder(dataDir);
  return await madeNodeId(dataDir);
}

/** The same, by who holds the folder's lock. */
async function madeNodeId(dataDir: string): Promise<string> {
  const files = localFilesOf(dataDir);
  await ensureLocalIdentity(files, new Date());
  return (await localNodeId(files.keys)) ?? "";
}

function localFilesOf(dataDir: string) {
  const config = embeddedConfig(dataDir);
  return { keys: config.files.keys, accessTokenFile: tokenFileOf({ config, embedded: true }) };
}

async function stoppedNode(dataDir: string): Promise<CommandContext> {
  const isManaged = await hasOthersDocuments(dataDir);
  const nodeId = isManaged ? "" : await madeNodeId(dataDir);
  const kept = (await readKeptPeers(dataDir, Date.now())).filter(({ nodeId: id }) => id !== nodeId).map(keptAsSeen);
  return {
    nodeId: () => nodeId,
    documents: await openLocalDocuments(dataDir, embeddedConfig(dataDir).name, () => new Date()),
    isManaged,
    seen: () => kept,
    forget: () => {},
    progress: async () => [],
    withdraw: async (collection, hash, signal) => {
      const { withdrawFromStopped } = await import("./stopped-archive.ts");
      return withdrawFromStopped(dataDir, { collection, hash }, signal);
    },
    identify: async () => {
      throw new Error("only a running node can ask who is there, and none runs on this folder");
    },
  };
}
