/** Temporary folders that go away with the test that made them: `await using dir = await tempDir("cdx")`. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempDir extends AsyncDisposable {
  readonly path: string;
  /** Removes the folder and everything in it; safe to repeat. */
  remove(): Promise<void>;
}

/**
 * Makes an empty folder under the system's temporary folder.
 *
 * @param label - ends up in the folder's name, so that a leftover tells whose it is
 */
export async function tempDir(label = "test"): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), `archive-${label}-`));
  // Retries: a server that was just killed may still be writing its last file.
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}
