/**
 * Work that is done once and kept in the cache until its inputs change. Two runs at once: the second waits for the
 * first and finds the work done. Runs before `npm install`, on Node 20.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { locked } from "../run/lock.mjs";
import { step } from "../run/steps.mjs";
import { CACHE } from "./cache-folder.mjs";

const DONE = join(CACHE, "done");

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** A short name for the content of files and further texts: other inputs, other name. */
export function keyOf(paths, ...texts) {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(readFileSync(path)).update("\0");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("hex").slice(0, 16);
}

/** True when the step `name` ended well with this key. */
export function isDone(name, key) {
  return read(join(DONE, name)) === key;
}

/**
 * A step that is skipped when it ended well before with the same key.
 *
 * @param {string} name of the step and of its mark in the cache
 * @param {string} key what the result depends on; see `keyOf`
 * @param {() => Promise<void>} work
 * @param {{title?: string, expectedMs?: number, present?: () => boolean | Promise<boolean>}} options `present`: is the result still there?
 */
export async function once(name, key, work, { title = name, expectedMs, present = () => true } = {}) {
  const mark = join(DONE, name);
  await step(
    title,
    () =>
      locked(name, async () => {
        if (isDone(name, key) && (await present())) return "cached";
        mkdirSync(DONE, { recursive: true });
        rmSync(mark, { force: true });
        await work();
        writeFileSync(mark, key);
        return undefined;
      }),
    { expectedMs },
  );
}
