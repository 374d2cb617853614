/** `archive-node withdraw HASH`: takes a stored file out of a collection. */
import { StartError } from "../config/errors.ts";
import { EXIT_CODES } from "../contract/exit-codes.ts";
import { commandOn, dataFolderOf } from "./data-folder.ts";
import { parseCommandArgs } from "./options.ts";

const HASH = /^[0-9a-f]{64}$/;
const COLLECTION = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const DEFAULT_COLLECTION = "default";

export async function withdraw(args: readonly string[]): Promise<number> {
  const { values, operands } = parseCommandArgs(args, { values: ["data", "collection"], operands: ["HASH"] });
  const [hash = ""] = operands;
  const { collection = DEFAULT_COLLECTION } = values;
  if (!HASH.test(hash)) {
    const reason = `"${hash}" is no hash of a file: 64 characters of 0-9 and a-f, as uploads and lists of files show them`;
    throw new StartError("BAD_USAGE", { reason });
  }
  if (!COLLECTION.test(collection) || collection.length > 63) {
    throw new StartError("BAD_USAGE", { reason: `--collection: "${collection}" is no name of a collection` });
  }
  const { isTextOut } = await commandOn(dataFolderOf(values.data), "withdraw", { collection, hash });
  process.stdout.write(`${hash} withdrawn from collection ${collection}\n`);
  if (isTextOut) return EXIT_CODES.ok;
  process.stderr.write(
    "archive-node: searches may find its text until the indexer gets to it: repeat the command to wait for that\n",
  );
  return EXIT_CODES.damaged;
}
