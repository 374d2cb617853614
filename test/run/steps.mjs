/**
 * What a person sees while something long runs: a line per step with its duration, a bar on the long ones.
 * Runs before `npm install`, on Node 20.
 *
 * The bar compares with the time the same step took last, kept in the cache; it is a guess and never reaches its end
 * by itself. Without a terminal (CI) the bar is a line now and then, so that a log shows life.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE } from "../cluster/cache-folder.mjs";

const DURATIONS_PATH = join(CACHE, "step-durations.json");
const BAR_CELLS = 24;
const TERMINAL_REFRESH_MS = 250;
const LOG_REFRESH_MS = 20_000;

/** The reader can act on the message alone: it is printed without a stack. */
export class PlainError extends Error {
  name = "PlainError";
}

function lastDurations() {
  try {
    return JSON.parse(readFileSync(DURATIONS_PATH, "utf8"));
  } catch {
    return {}; // first run, or a file cut short: nothing to compare with
  }
}

function rememberDuration(name, ms) {
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(DURATIONS_PATH, JSON.stringify({ ...lastDurations(), [name]: Math.round(ms) }));
}

/** 950 -> "0.9 s", 75_000 -> "1 min 15 s". */
export function formatDuration(ms) {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

function bar(share) {
  const full = Math.floor(share * BAR_CELLS);
  return `[${"#".repeat(full)}${".".repeat(BAR_CELLS - full)}]`;
}

function progressLine(name, elapsedMs, expectedMs) {
  if (expectedMs === undefined) return `  ${name} ... ${formatDuration(elapsedMs)}`;
  // Beyond the expected time the bar creeps towards its end instead of lying there.
  const share = Math.min(0.98, 1 - Math.exp((-2 * elapsedMs) / expectedMs) + (0.1353 * elapsedMs) / expectedMs);
  return `  ${name} ${bar(share)} ${formatDuration(elapsedMs)} of about ${formatDuration(expectedMs)}`;
}

/**
 * Runs `work`, shows that it runs, and prints how long it took.
 *
 * @param {string} name shown, and the key under which the duration is remembered
 * @param {() => Promise<string | void>} work what it returns is printed behind the name ("cached", a path, a count)
 * @param {{expectedMs?: number}} options first guess of the duration, until a real one is known
 */
export async function step(name, work, { expectedMs } = {}) {
  const start = performance.now();
  const expected = lastDurations()[name] ?? expectedMs;
  const terminal = process.stdout.isTTY;
  const show = () => {
    const line = progressLine(name, performance.now() - start, expected);
    process.stdout.write(terminal ? `\r\x1b[2K${line}` : `${line}\n`);
  };
  const timer = setInterval(show, terminal ? TERMINAL_REFRESH_MS : LOG_REFRESH_MS);
  const finish = (mark, detail) => {
    clearInterval(timer);
    const took = formatDuration(performance.now() - start);
    process.stdout.write(`${terminal ? "\r\x1b[2K" : ""}${mark} ${name}${detail}  ${took}\n`);
  };
  try {
    const detail = await work();
    if (detail !== "cached") rememberDuration(name, performance.now() - start);
    finish("ok", detail ? ` (${detail})` : "");
  } catch (error) {
    finish("FAILED", "");
    throw error;
  }
}
