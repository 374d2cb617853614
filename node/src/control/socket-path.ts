/**
 * Where the socket is. Systems take about a hundred bytes for the path of a socket; where the data folder's path is longer, it
 * is reached through a symbolic link in the folder for temporary files for as long as binding or connecting takes.
 */
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOCKET_FILE = "control.sock";
/** The shortest of today's systems: macOS takes 104 with the closing zero, Linux 108. */
const MAX_PATH_BYTES = 103;

export function socketFile(dataDir: string): string {
  return join(dataDir, SOCKET_FILE);
}

/** @param use - is given a path to the socket that the system takes; it must not be kept */
export async function withSocketPath<T>(dataDir: string, use: (path: string) => Promise<T>): Promise<T> {
  const direct = socketFile(dataDir);
  if (Buffer.byteLength(direct) <= MAX_PATH_BYTES) return use(direct);
  const folder = await mkdtemp(join(tmpdir(), "archive-node-"));
  try {
    const link = join(folder, "d");
    await symlink(dataDir, link);
    return await use(socketFile(link));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
