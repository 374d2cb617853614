/** `archive-node identity --data DIR`: prints the node id; makes the identity where there is none yet. */
import { EXIT_CODES } from "../contract/exit-codes.ts";
import { dataFolderOf, nodeIdIn } from "./data-folder.ts";
import { parseOptions } from "./options.ts";

export async function identity(args: readonly string[]): Promise<number> {
  const { data } = parseOptions(args, ["data"]);
  process.stdout.write(`${await nodeIdIn(dataFolderOf(data))}\n`);
  return EXIT_CODES.ok;
}
