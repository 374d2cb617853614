/** A real `archive-node serve` on free ports of 127.0.0.1, with its own data folder unless told otherwise. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "./free-port.ts";
import { tempDir } from "./temp-dir.ts";

const PROGRAM = resolve(import.meta.dirname, "../../node/bin/archive-node");
const READY_MS = 120_000;
const STOP_MS = 40_000;

export interface ArchiveNodeOptions {
  /** Kept when given; otherwise a temporary folder that `stop` and `kill` remove. */
  readonly dataDir?: string;
  /** Of the federation listener; otherwise a free one. */
  readonly port?: number;
  /** More of the command line, such as `["--config", file]`. */
  readonly args?: readonly string[];
  /** Also open the plain-HTTP listeners. */
  readonly web?: boolean;
  readonly replay?: boolean;
  readonly metrics?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ArchiveNodeProcess extends AsyncDisposable {
  /** `https://localhost:<port>`: trust `caPem`. */
  readonly url: string;
  readonly caPem: string;
  readonly caFile: string;
  readonly token: string;
  readonly nodeId: string;
  readonly dataDir: string;
  readonly pid: number;
  /** `http://127.0.0.1:<port>`, when asked for. */
  readonly webUrl: string | undefined;
  readonly replayUrl: string | undefined;
  readonly metricsUrl: string | undefined;
  /** Everything written to standard error so far. */
  readonly log: () => string;
  /** SIGTERM; resolves with the exit code. */
  readonly stop: () => Promise<number | null>;
  /** SIGKILL; the data folder stays unless it was temporary. */
  readonly kill: () => Promise<void>;
  /** Resolves with the exit code when the process ends by itself. */
  readonly exited: Promise<number | null>;
}

/**
 * Starts a node and waits until it says it is ready.
 *
 * @throws {Error} with its standard error when it ends first, or is not ready within two minutes
 */
export async function startArchiveNode(options: ArchiveNodeOptions = {}): Promise<ArchiveNodeProcess> {
  const temporary = options.dataDir === undefined ? await tempDir("node") : undefined;
  const dataDir = options.dataDir ?? temporary?.path ?? "";
  const port = options.port ?? (await freePort());
  const extra = await plainListeners(options);
  const args = ["serve", "--data", dataDir, "--listen", `127.0.0.1:${port}`, ...extra.args, ...(options.args ?? [])];
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  // "close" comes once its output is read to the end, so that what it said last is in `log`; "exit" may come before.
  const exited = once(child, "close").then(([code]) => code as number | null);
  const line = await readyLine(child, exited, () => log);
  const field = (name: string) => new RegExp(`${name}=(\\S+)`).exec(line)?.[1] ?? "";
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    const code = await exited;
    clearTimeout(timer);
    await temporary?.remove();
    return code;
  };
  return {
    url: field("url"),
    caFile: field("cacert"),
    caPem: await readFile(field("cacert"), "utf8"),
    token: (await readFile(field("token"), "utf8")).trim(),
    nodeId: field("node"),
    dataDir,
    pid: child.pid ?? 0,
    ...extra.urls,
    log: () => log,
    stop: () => end("SIGTERM"),
    kill: async () => void (await end("SIGKILL")),
    exited,
    [Symbol.asyncDispose]: async () => void (await end("SIGTERM")),
  };
}

async function plainListeners(options: ArchiveNodeOptions) {
  const one = async (wanted: boolean | undefined) => (wanted === true ? `127.0.0.1:${await freePort()}` : undefined);
  const [web, replay, metrics] = [await one(options.web), await one(options.replay), await one(options.metrics)];
  const args = Object.entries({ web, replay, metrics }).flatMap(([name, at]) =>
    at === undefined ? [] : [`--${name}`, at],
  );
  const url = (at: string | undefined) => (at === undefined ? undefined : `http://${at}`);
  return { args, urls: { webUrl: url(web), replayUrl: url(replay), metricsUrl: url(metrics) } };
}

async function readyLine(child: ChildProcess, exited: Promise<number | null>, log: () => string): Promise<string> {
  if (child.stdout === null) throw new Error("standard output is piped");
  const lines = createInterface({ input: child.stdout });
  const ready = (async () => {
    for await (const line of lines) if (line.startsWith("archive-node ready")) return line;
    throw new Error(`archive-node ended with ${await exited} before it was ready:\n${log()}`);
  })();
  const late = setTimeout(() => child.kill("SIGKILL"), READY_MS);
  try {
    return await ready;
  } finally {
    clearTimeout(late);
  }
}

/** Where a node keeps the token and keys it made itself. */
export function localFiles(dataDir: string) {
  return { token: join(dataDir, "access-token"), keys: join(dataDir, "keys"), trust: join(dataDir, "trust.json") };
}
