/** Volumes that cannot link files: a FAT image where the kernel can mount one, and a C library whose `link` refuses. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface FatVolume extends Disposable {
  readonly path: string;
}

/** @throws without root, without `mkfs.vfat` (dosfstools), or when the kernel has no vfat */
export function fatVolume(bytes: number): FatVolume {
  const folder = mkdtempSync(join(tmpdir(), "archive-fat-"));
  const image = join(folder, "image");
  const path = join(folder, "volume");
  try {
    writeFileSync(image, "");
    truncateSync(image, bytes);
    execFileSync("mkfs.vfat", ["-F", "32", image], { stdio: "pipe" });
    execFileSync("mkdir", [path]);
    execFileSync("mount", ["-t", "vfat", "-o", "loop", image, path], { stdio: "pipe" });
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  return {
    path,
    [Symbol.dispose]: () => {
      execFileSync("umount", ["-l", path]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** What FAT, and SMB without its Unix extensions, answer. */
const REFUSING_LINK = `#include <errno.h>
int link(const char *from, const char *to) { (void)from; (void)to; errno = EPERM; return -1; }
int linkat(int a, const char *from, int b, const char *to, int flags) { return link(from, to); }
`;

/** Environment in which a program's C library refuses hard links. @throws without a C compiler */
export function withoutLinks(folder: string): Readonly<Record<string, string>> {
  const library = join(folder, "no-link.so");
  execFileSync("cc", ["-shared", "-fPIC", "-w", "-x", "c", "-o", library, "-"], {
    input: REFUSING_LINK,
    stdio: "pipe",
  });
  return { LD_PRELOAD: library };
}

/** Whether this machine can do it. */
export function possible(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
