/**
 * `archive-node rebuild --data DIR`: throws the indexes away and makes them anew from the stored files and the journal.
 * The former indexes are kept beside, renamed, until their successors are whole: the catalog among them is asked about
 * files that the journal does not name. A file that neither knows goes nowhere by itself, because its collection says who
 * may read it.
 */
import { access, rename, rm } from "node:fs/promises";
import { type Adoption, openArchive } from "../archive/open-archive.ts";
import { catalogFiles } from "../cdx/catalog-calls.ts";
import { FormerCatalog } from "../cdx/former-catalog.ts";
import { loadConfig } from "../config/config.ts";
import { StartError } from "../config/errors.ts";
import type { NodeConfig } from "../contract/config-schema.ts";
import { EXIT_CODES } from "../contract/exit-codes.ts";
import { NodeState } from "../lifecycle/node-state.ts";
import { createLogger } from "../observability/logging.ts";
import { createRegistry } from "../observability/registry.ts";
import { lockDataFolder } from "../storage/data-lock.ts";
import { parseOptions } from "./options.ts";

const SUFFIXES = ["", "-wal", "-shm"];
const FORMER = ".old";

export async function rebuild(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, ["data", "config", "adopt"]);
  const loaded = await loadConfig({
    ...{ data: options.data, config: options.config },
    ...{ listen: undefined, web: undefined, replay: undefined, metrics: undefined },
  });
  const { config } = loaded;
  checkCollection(config, options.adopt);
  using _lock = lockDataFolder(config.dataDir);
  const catalog = catalogFiles(config.dataDir).database;
  const indexes = [catalog, `${config.dataDir}/fulltext.db`];
  for (const file of indexes) await setAside(file);
  const { left } = await fill(config, `${catalog}${FORMER}`, options.adopt);
  for (const file of indexes) await removeFormer(file);
  if (left === 0) return EXIT_CODES.ok;
  process.stderr.write(
    `archive-node: ${left} files are in no collection, because neither the journal nor the former catalog names them;` +
      " they stay stored. Say where they belong: archive-node rebuild --data DIR --adopt COLLECTION\n",
  );
  return EXIT_CODES.damaged;
}

async function fill(config: NodeConfig, former: string, fallback: string | undefined): Promise<Adoption> {
  const logger = createLogger("warn", config.name);
  const archive = openArchive({ config, logger, registry: createRegistry(), state: new NodeState() });
  const never = new AbortController().signal;
  try {
    await archive.start(never);
    using catalog = new FormerCatalog(former);
    const adoption = await archive.adopt({ entriesOf: (hash) => catalog.entriesOf(hash), fallback }, never);
    await archive.searchable(never);
    const { blobs, captures } = await archive.count(never);
    const { adopted } = adoption;
    process.stdout.write(`rebuilt: ${blobs} files, ${captures} captures; ${adopted} files were not in the journal\n`);
    return adoption;
  } finally {
    await archive.stop(never);
  }
}

/** @throws {StartError} `BAD_USAGE` */
function checkCollection(config: NodeConfig, adopt: string | undefined): void {
  const names = config.collections.map(({ name }) => name);
  if (adopt === undefined || names.includes(adopt)) return;
  const reason = `--adopt ${adopt}: the configuration has no such collection, only ${names.join(", ")}; see --config`;
  throw new StartError("BAD_USAGE", { reason });
}

/** A rebuild that was cut short has left the former index there already, and a new one that is not whole. */
async function setAside(file: string): Promise<void> {
  const isThere = await access(`${file}${FORMER}`).then(
    () => true,
    () => false,
  );
  for (const suffix of SUFFIXES) {
    const act = isThere ? rm(`${file}${suffix}`) : rename(`${file}${suffix}`, `${file}${FORMER}${suffix}`);
    await act.catch(ignoreMissing);
  }
}

async function removeFormer(file: string): Promise<void> {
  for (const suffix of SUFFIXES) await rm(`${file}${FORMER}${suffix}`, { force: true });
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
