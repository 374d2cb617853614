/** What a program asks of the kernel, seen and answered by a C library of ours in front of the real one. */
import { execFileSync } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * `fsync`, `fdatasync` and `rename` are noted after they were done. Flushes of folders are refused as FAT does, when asked for;
 * reads of files below a folder called `blobs` fail while the file of failures is there.
 */
const SOURCE = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static void path_of(int fd, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, size - 1);
  path[n > 0 ? n : 0] = 0;
}
static int noted(int result, const char *call, const char *path) {
  int log = open(getenv("CALLS_LOG"), O_WRONLY | O_APPEND | O_CREAT, 0600);
  dprintf(log, "%s %s\\n", call, path);
  close(log);
  return result;
}
static int flushed(const char *call, int fd) {
  char path[4096];
  struct stat is;
  path_of(fd, path, sizeof path);
  if (getenv("CALLS_REFUSE_FOLDERS") && fstat(fd, &is) == 0 && S_ISDIR(is.st_mode)) { errno = EINVAL; return -1; }
  return noted(((int (*)(int))dlsym(RTLD_NEXT, call))(fd), "flush", path);
}
int fsync(int fd) { return flushed("fsync", fd); }
int fdatasync(int fd) { return flushed("fdatasync", fd); }
int rename(const char *from, const char *to) {
  return noted(((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(from, to), "rename", to);
}
static ssize_t failing(const char *call, int fd, void *buffer, size_t size, off64_t at) {
  char path[4096];
  if (access(getenv("CALLS_FAIL"), F_OK) == 0) {
    path_of(fd, path, sizeof path);
    if (strstr(path, "/blobs/")) { errno = EIO; return -1; }
  }
  return ((ssize_t (*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, call))(fd, buffer, size, at);
}
ssize_t pread(int fd, void *buffer, size_t size, off_t at) { return failing("pread64", fd, buffer, size, at); }
ssize_t pread64(int fd, void *buffer, size_t size, off64_t at) { return failing("pread64", fd, buffer, size, at); }
`;

export interface SystemCalls {
  /** Environment for the program. */
  readonly env: Readonly<Record<string, string>>;
  /** What was done so far, oldest first: `flush PATH`, `rename PATH`. */
  done(): Promise<readonly string[]>;
  /** Reads of stored files fail from now on, or work again. */
  failReads(fail: boolean): Promise<void>;
}

/** @param folder - for the library and its log. @throws without a C compiler */
export function systemCalls(folder: string, options: { readonly refuseFolders?: boolean } = {}): SystemCalls {
  const at = (name: string): string => join(folder, name);
  execFileSync("cc", ["-shared", "-fPIC", "-w", "-x", "c", "-o", at("calls.so"), "-", "-ldl"], {
    input: SOURCE,
    stdio: "pipe",
  });
  return {
    env: {
      ...{ LD_PRELOAD: at("calls.so"), CALLS_LOG: at("calls.log"), CALLS_FAIL: at("calls.fail") },
      ...(options.refuseFolders === true ? { CALLS_REFUSE_FOLDERS: "1" } : {}),
    },
    done: async () => (await readFile(at("calls.log"), "utf8")).split("\n").filter((line) => line !== ""),
    failReads: (fail) => (fail ? writeFile(at("calls.fail"), "") : rm(at("calls.fail"))),
  };
}
