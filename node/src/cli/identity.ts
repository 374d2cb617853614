/** `archive-node identity --data DIR`: prints the node id; makes nothing. */
import { join, resolve } from "node:path";
import { StartError } from "../config/errors.ts";
import { EXIT_CODES } from "../contract/exit-codes.ts";
import { localNodeId } from "../identity/local-identity.ts";
import { parseOptions } from "./options.ts";

export async function identity(args: readonly string[]): Promise<number> {
  const { data } = parseOptions(args, ["data"]);
  if (data === undefined) throw new StartError("BAD_USAGE", { reason: "--data DIR is missing" });
  const nodeId = await localNodeId(join(resolve(data), "keys"));
  if (nodeId === undefined) {
    throw new StartError("DATA_UNUSABLE", { path: data, reason: "no identity here yet; archive-node serve makes one" });
  }
  process.stdout.write(`${nodeId}\n`);
  return EXIT_CODES.ok;
}
