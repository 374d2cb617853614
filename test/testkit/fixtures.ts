/** Real archive files that are not part of the project: tests that need them are skipped by name without them. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const FOLDER = resolve(
  process.env["ARCHIVE_FIXTURES"] ?? join(import.meta.dirname, "..", "..", "..", "shared", "fixtures"),
);

/** @returns `undefined` when the file is not there */
export function fixturePath(name: string): string | undefined {
  const path = join(FOLDER, name);
  return existsSync(path) ? path : undefined;
}
