/** Small files that survive a crash as either the old or the new content: temporary name, sync, rename, sync folder. */
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../storage/folder-sync.ts";

const PRIVATE_MODE = 0o600;

export async function writeDurably(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  await using handle = await open(temporary, "w", PRIVATE_MODE);
  await handle.writeFile(text);
  await handle.sync();
  await rename(temporary, file);
  await syncFolder(dirname(file));
}
