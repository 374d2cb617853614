/** Small file systems in memory of their own, to fill and to lose. They need root; callers skip by name without it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { type FileHandle, open, statfs, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CHUNK_BYTES = 1 << 20;

export interface SmallVolume extends Disposable {
  readonly path: string;
  /** Writes a file that leaves this many bytes free; gives what removes it. */
  fill(freeBytes: number): Promise<() => Promise<void>>;
}

/** An empty volume of this size. @throws when the machine lets nobody mount */
export function smallVolume(bytes: number): SmallVolume {
  const path = mkdtempSync(join(tmpdir(), "archive-volume-"));
  try {
    mount(path, `size=${bytes}`);
  } catch (error) {
    rmSync(path, { recursive: true });
    throw error;
  }
  return {
    path,
    fill: async (freeBytes) => {
      const ballast = join(path, "ballast");
      await using file = await open(ballast, "wx");
      // A node that runs here takes room, or gives some back, between a look and a write.
      for (;;) {
        const { bavail, bsize } = await statfs(path);
        const excess = bavail * bsize - freeBytes;
        if (excess <= 0 || !(await written(file, Math.min(excess, CHUNK_BYTES)))) return () => unlink(ballast);
      }
    },
    [Symbol.dispose]: () => {
      execFileSync("umount", ["-l", path]);
      rmSync(path, { recursive: true });
    },
  };
}

/** False when there was no room. */
async function written(file: FileHandle, bytes: number): Promise<boolean> {
  try {
    return (await file.write(Buffer.alloc(bytes))).bytesWritten > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}

/** Covers a folder with one that refuses writes, until disposed. */
export function readOnlyCover(folder: string): Disposable {
  mkdirSync(folder, { recursive: true });
  mount(folder, "ro");
  return { [Symbol.dispose]: () => void execFileSync("umount", ["-l", folder]) };
}

/**
 * Makes a folder refuse writes with what is in it still to be read, until disposed. Files that a program has open for writing
 * stay so: the kernel lets nobody make them read-only under it.
 */
export function readOnlyFolder(folder: string): Disposable {
  execFileSync("mount", ["--bind", folder, folder], { stdio: "pipe" });
  const remove = (): void => void execFileSync("umount", ["-l", folder]);
  try {
    execFileSync("mount", ["-o", "remount,bind,ro", folder], { stdio: "pipe" });
  } catch (error) {
    remove();
    throw error;
  }
  return { [Symbol.dispose]: remove };
}

/** Whether this machine lets us mount. */
export function canMount(): boolean {
  try {
    smallVolume(1 << 20)[Symbol.dispose]();
    return true;
  } catch {
    return false;
  }
}

function mount(path: string, options: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "none", path], { stdio: "pipe" });
}
