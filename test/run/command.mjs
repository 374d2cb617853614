/** Runs programs for the entry scripts: output into a log, and the end of the log in the error. Node 20, no dependencies. */
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE } from "../cluster/cache-folder.mjs";
import { signalChild, startChild } from "./children.mjs";
import { PlainError } from "./steps.mjs";

const LOGS = join(CACHE, "log");
const QUOTED_LINES = 25;

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? `killed by ${signal}`));
  });
}

/**
 * Runs a program to its end with its output in `~/.cache/archive-operator/log/NAME.log`.
 *
 * @throws {PlainError} it failed; the message ends with the end of the log
 */
export async function logged(name, program, args, { cwd, env } = {}) {
  mkdirSync(LOGS, { recursive: true });
  const path = join(LOGS, `${name}.log`);
  const log = openSync(path, "w");
  const child = startChild(program, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", log, log] });
  const code = await ended(child).finally(() => closeSync(log));
  if (code === 0) return;
  const tail = readFileSync(path, "utf8").trimEnd().split("\n").slice(-QUOTED_LINES).join("\n");
  throw new PlainError(`${name} failed (${code}). The end of ${path}:\n${tail}`);
}

/** A program that was asked to end gets this long. */
const GRACE_MS = 20_000;

/** Runs a program that talks to the person itself; resolves with its exit code. `signal` ends it and what it started. */
export async function shown(program, args, { cwd, env, signal } = {}) {
  const stdio = ["ignore", "inherit", "inherit"];
  const child = startChild(program, args, { cwd, env: { ...process.env, ...env }, stdio });
  let kill;
  const stop = () => {
    signalChild(child, "SIGTERM");
    kill = setTimeout(() => signalChild(child, "SIGKILL"), GRACE_MS);
  };
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  return await ended(child).finally(() => {
    clearTimeout(kill);
    signal?.removeEventListener("abort", stop);
  });
}

/**
 * Runs a program and returns what it printed, without the last line break.
 *
 * @throws {Error} it failed; the message carries its error output
 */
export async function output(program, args, { cwd, env, input } = {}) {
  const child = startChild(program, args, { cwd, env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  const chunks = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (chunks[name] += text));
  child.stdin.on("error", () => {}); // it may end without reading; its exit code says what that means
  child.stdin.end(input);
  const code = await ended(child);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${code}\n${chunks.stderr.trim()}`);
  return chunks.stdout.trimEnd();
}

/** True when the program exists and ends well. */
export async function succeeds(program, args, options) {
  return await output(program, args, options).then(
    () => true,
    () => false,
  );
}
