/**
 * Bench `node`: what an idle archive costs. Memory and processor time of a process that nobody asks, a minute after its
 * start, beside an idle pywb (its own server, one empty collection) and a bare Fastify server on the same Node.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { pythonEnv } from "../interop/python-env.ts";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { freePort } from "../testkit/free-port.ts";
import { processorMs, residentBytes } from "./processes.ts";
import { table } from "./table.ts";

const SETTLE_MS = Number(process.env["BENCH_NODE_SETTLE_MS"] ?? 60_000);
const WATCHED_MS = 60_000;
const PYWB = ["pywb==2.10.0", "setuptools<81"];
const ROOT = resolve(import.meta.dirname, "../..");
const run_ = promisify(execFile);

interface Idle {
  readonly name: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export async function run(): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const start of [archiveNode, pywb, bareFastify]) {
    const idle = await start();
    try {
      await pause(SETTLE_MS);
      const before = await processorMs(idle.pid);
      await pause(WATCHED_MS);
      const used = (await processorMs(idle.pid)) - before;
      rows.push([idle.name, (await residentBytes(idle.pid)) / 1e6, (used / WATCHED_MS) * 1_000]);
    } finally {
      await idle.stop();
    }
  }
  console.log(table(["idle", "resident MB", "thousandths of a core"], rows));
}

async function archiveNode(): Promise<Idle> {
  const node = await startArchiveNode({ web: true, metrics: true });
  return { name: "archive-node, empty", pid: node.pid, stop: async () => void (await node.stop()) };
}

async function pywb(): Promise<Idle> {
  const { bin } = await pythonEnv(PYWB);
  const folder = await mkdtemp(join(tmpdir(), "bench-pywb-"));
  await run_(join(bin, "wb-manager"), ["init", "empty"], { cwd: folder });
  const port = await freePort();
  const args = ["--bind", "127.0.0.1", "--port", String(port)];
  const child = spawn(join(bin, "pywb"), args, { cwd: folder, stdio: "ignore" });
  await answers(`http://127.0.0.1:${port}/`, child);
  return { name: "pywb 2.10", pid: child.pid ?? 0, stop: () => end(child, folder) };
}

async function bareFastify(): Promise<Idle> {
  const folder = await mkdtemp(join(tmpdir(), "bench-fastify-"));
  const port = await freePort();
  const file = join(folder, "server.mjs");
  const library = join(ROOT, "node_modules/fastify/fastify.js");
  await writeFile(
    file,
    `import Fastify from ${JSON.stringify(library)};\nconst app = Fastify();\napp.get("/", async () => "ok\\n");\nawait app.listen({ port: ${port}, host: "127.0.0.1" });\n`,
  );
  const child = spawn(process.execPath, [file], { stdio: "ignore" });
  await answers(`http://127.0.0.1:${port}/`, child);
  return { name: "bare Fastify", pid: child.pid ?? 0, stop: () => end(child, folder) };
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  for (const deadline = performance.now() + 60_000; performance.now() < deadline; ) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`);
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return;
    await pause(200);
  }
  throw new Error(`${url} did not answer within a minute`);
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  const ended = new Promise((resolve_) => child.once("exit", resolve_));
  child.kill("SIGTERM");
  await ended;
  await rm(folder, { recursive: true, force: true });
}
