/**
 * `archive-node rebuild --data DIR`: throws the indexes away and makes them anew from the stored files and the journal.
 * A damaged index is kept beside, renamed, until its successor is whole.
 */
import { rename, rm } from "node:fs/promises";
import { catalogFiles } from "../cdx/catalog-calls.ts";
import { openArchive } from "../compose-archive.ts";
import { loadConfig } from "../config/config.ts";
import { EXIT_CODES } from "../contract/exit-codes.ts";
import { NodeState } from "../http/node-phase.ts";
import { createLogger } from "../observability/logging.ts";
import { createRegistry } from "../observability/registry.ts";
import { lockDataFolder } from "../storage/data-lock.ts";
import { parseOptions } from "./options.ts";

const SUFFIXES = ["", "-wal", "-shm"];

export async function rebuild(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, ["data", "config"]);
  const loaded = await loadConfig({
    ...{ data: options.data, config: options.config },
    ...{ listen: undefined, web: undefined, replay: undefined, metrics: undefined },
  });
  const { config } = loaded;
  using _lock = lockDataFolder(config.dataDir);
  const indexes = [catalogFiles(config.dataDir).database, `${config.dataDir}/fulltext.db`];
  for (const file of indexes) await forEachFile(file, (path) => rename(path, `${path}.old`));
  const logger = createLogger("warn", config.name);
  const archive = openArchive({ config, logger, registry: createRegistry(), state: new NodeState() });
  const never = new AbortController().signal;
  try {
    await archive.start(never);
    const adopted = await archive.adopt(config.collections[0]?.name ?? "default", never);
    await archive.searchable(never);
    const { blobs, captures } = await archive.count(never);
    process.stdout.write(`rebuilt: ${blobs} files, ${captures} captures; ${adopted} files were not in the journal\n`);
  } finally {
    await archive.stop(never);
  }
  for (const file of indexes) await forEachFile(file, (path) => rm(`${path}.old`, { force: true }));
  return EXIT_CODES.ok;
}

async function forEachFile(file: string, act: (path: string) => Promise<void>): Promise<void> {
  for (const suffix of SUFFIXES) {
    await act(`${file}${suffix}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
}
