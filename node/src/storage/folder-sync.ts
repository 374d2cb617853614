/** Makes what was made or renamed in a folder durable: a file's own flush does not cover the name it is found by. */
import { open } from "node:fs/promises";

/** What a file system without flushable folders answers; it then orders its changes itself or not at all. */
const NO_FOLDER_FLUSH: ReadonlySet<unknown> = new Set(["EINVAL", "ENOTSUP", "ENOSYS", "EISDIR"]);

export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync().catch((error: NodeJS.ErrnoException) => {
    if (!NO_FOLDER_FLUSH.has(error.code)) throw error;
  });
}
