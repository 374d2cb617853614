/** Where everything that is downloaded or built once lies. Runs before `npm install`, on Node 20. */
import { homedir } from "node:os";
import { join } from "node:path";

/** `ARCHIVE_CACHE`, or ~/.cache/archive-operator. */
export const CACHE = process.env.ARCHIVE_CACHE ?? join(homedir(), ".cache", "archive-operator");

/** Programs of the cluster: `kube` and the names it goes by. */
export const BIN = join(CACHE, "bin");
