/** The archive in a folder on which no node runs, opened for one command. */
import { openArchive } from "../archive/open-archive.ts";
import type { WithdrawnBlob } from "../archive/withdrawals.ts";
import { embeddedConfig } from "../config/config.ts";
import { NodeState } from "../lifecycle/node-state.ts";
import { createLogger } from "../observability/logging.ts";
import { createRegistry } from "../observability/registry.ts";

/** By who holds the folder's lock. Opening the archive first does what a start would. */
export async function withdrawFromStopped(
  dataDir: string,
  { collection, hash }: { readonly collection: string; readonly hash: string },
  signal: AbortSignal,
): Promise<WithdrawnBlob | undefined> {
  const config = embeddedConfig(dataDir);
  const logger = createLogger("warn", config.name);
  const archive = openArchive({ config, logger, registry: createRegistry(), state: new NodeState() });
  // However much the last end left to be done: ending in the middle would not be faster.
  const never = new AbortController().signal;
  await archive.start(never);
  try {
    return await archive.services.withdrawals.withdraw(collection, hash, signal);
  } finally {
    await archive.stop(never);
  }
}
