/**
 * Locks between processes, by `flock` of util-linux: the kernel frees them however their owner ends. Node 20, no
 * dependencies.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE } from "../cluster/cache-folder.mjs";
import { startChild } from "./children.mjs";
import { PlainError } from "./steps.mjs";

const LOCKS = join(CACHE, "locks");
/** Of flock when someone else has the lock. Not 1, which means that flock itself failed. */
const TAKEN = 75;

/** Runs flock, which holds the lock until its input ends: at `release`, or when this process is gone. */
function tryLock(path, flags) {
  const hold = ["sh", "-c", "echo held; exec cat"];
  const child = startChild("flock", [...flags, "--conflict-exit-code", String(TAKEN), path, ...hold], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const release = async () => {
    child.stdin.end();
    await exited;
  };
  return new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(error.code === "ENOENT" ? new PlainError("flock was not found: apt-get install util-linux") : error),
    );
    child.stdout.once("data", () => resolve(release));
    exited.then((code) => {
      if (code === TAKEN) resolve(undefined);
      else reject(new Error(`flock ${path}: ${code}`)); // says nothing when the lock was held
    });
  });
}

function ownerOf(path) {
  try {
    return readFileSync(path, "utf8").trim() || "another process";
  } catch {
    return "another process";
  }
}

async function acquire(name, onTaken) {
  mkdirSync(LOCKS, { recursive: true });
  const path = join(LOCKS, `${name.replaceAll(" ", "-")}.lock`);
  let release = await tryLock(path, ["--nonblock"]);
  if (release === undefined) {
    onTaken(ownerOf(path));
    release = await tryLock(path, []);
  }
  writeFileSync(path, `process ${process.pid} (${process.argv.slice(1).join(" ")})\n`);
  return release;
}

/** Holds the lock NAME while `work` runs; says whom it waits for when another process has it. */
export async function locked(name, work) {
  const release = await acquire(name, (owner) => {
    process.stdout.write(`  waiting for ${owner}, which is busy with the same: ${name}\n`);
  });
  return await Promise.resolve().then(work).finally(release);
}

/**
 * Holds the lock NAME while `work` runs; does not wait for it.
 *
 * @throws {PlainError} another process has it: one line that names it
 */
export async function alone(name, work) {
  const release = await acquire(name, (owner) => {
    throw new PlainError(`${name} is running already, as ${owner}. Wait until it ends, then run this again.`);
  });
  return await Promise.resolve().then(work).finally(release);
}
