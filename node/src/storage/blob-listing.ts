/** Which blobs a folder holds. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

const HASH = /^[0-9a-f]{64}$/;

/** Whatever else people or tools left in the folder is passed over. */
export async function* listBlobs(
  folder: string,
): AsyncGenerator<{ readonly hash: string; readonly size: number }, void> {
  for (const first of await foldersIn(folder)) {
    for (const second of await foldersIn(first)) {
      for (const hash of await readdir(second)) {
        if (HASH.test(hash)) yield { hash, size: (await stat(join(second, hash))).size };
      }
    }
  }
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}
