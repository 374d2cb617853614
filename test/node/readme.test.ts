/** The lines that the README tells a reader to copy, run as they stand there: only folders and address are others. */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { PolicyRow } from "../../node/src/control/reports.ts";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { freePort } from "../testkit/free-port.ts";
import { possible } from "../testkit/no-hard-links.ts";
import { nodeCommandJson } from "../testkit/node-command.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { waitUntil } from "../testkit/wait-until.ts";
import { gzipEach, pageRecord, warcinfo } from "../testkit/warc-builder.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const README = join(ROOT, "README.md");
const withCurl = test.skipIf(!possible(() => execFileSync("curl", ["--version"], { stdio: "pipe" })));
const runProgram = promisify(execFile);
const SEARCHABLE_MS = 60_000;
/** Two nodes start, meet, and the first looks at what the other has. */
const PEERED_MS = 120_000;

/**
 * The shell lines of the chapter on an archive without Kubernetes: those of the first shell, those of the second, those that make
 * two nodes, and those that ask them.
 */
async function shellBlocks(): Promise<readonly (readonly string[])[]> {
  const chapter = (await readFile(README, "utf8")).split("\n## ").find((text) => text.startsWith("An archive without"));
  return [...(chapter ?? "").matchAll(/```sh\n(.*?)\n```/gs)].map(([, block = ""]) => block.split("\n"));
}

withCurl("the four curl lines store a file, find a page in it, look it up, and show it", async () => {
  const [first = [], [enter = "", ...lines] = []] = await shellBlocks();
  expect(first.at(-1)).toBe("node/bin/archive-node serve --data /tmp/archive");
  expect([enter, lines.length]).toEqual(["cd /tmp/archive", 4]);
  await using folder = await tempDir("readme");
  const file = join(folder.path, "page.warc.gz");
  await writeFile(file, gzipEach([warcinfo(), pageRecord("https://example.org/", "<title>An example</title>")]));
  // Read by every curl below this home.
  await writeFile(join(folder.path, ".curlrc"), 'silent\nwrite-out = "\\n%{http_code}"\n');
  await using node = await startArchiveNode();
  const run = async (line: string) => {
    const script = `${enter}\n${line}`
      .replaceAll("/tmp/archive", node.dataDir)
      .replaceAll("/tmp/page.warc.gz", file)
      .replaceAll("https://localhost:8443", node.url);
    const env = { ...process.env, HOME: folder.path, CURL_HOME: folder.path };
    const { stdout } = await runProgram("bash", ["-euc", script], { env });
    const at = stdout.lastIndexOf("\n");
    return { status: stdout.slice(at + 1), body: stdout.slice(0, at) };
  };
  const [upload = "", search = "", lookUp = "", replay = ""] = lines;
  const stored = await run(upload);
  expect([stored.status, JSON.parse(stored.body)]).toMatchObject(["201", { records: 2, captures: 1, damaged: [] }]);
  const found = await waitUntil(
    "the page to be found",
    async () => {
      const { status, body } = await run(search);
      const { hits } = JSON.parse(body) as { readonly hits: readonly { readonly url: string }[] };
      return status === "200" && hits.length > 0 && hits;
    },
    { deadlineMs: SEARCHABLE_MS },
  );
  expect(found.map(({ url }) => url)).toEqual(["https://example.org/"]);
  const lookedUp = await run(lookUp);
  expect(lookedUp.status).toBe("200");
  expect(lookedUp.body.trim().split("\n")).toEqual([expect.stringMatching(/^org,example\)\/ 20260102030405 /)]);
  expect(await run(replay)).toMatchObject({
    status: "200",
    body: expect.stringContaining("<title>An example</title>") as string,
  });
});

withCurl("the lines of two nodes make them peers, and one finds and copies the file of the other", async () => {
  const [, , peering = [], asking = []] = await shellBlocks();
  await using folder = await tempDir("readme-two");
  const file = join(folder.path, "page.warc.gz");
  await writeFile(file, gzipEach([warcinfo(), pageRecord("https://example.org/", "<title>An example</title>")]));
  const ports = [await freePort(), await freePort()];
  const here = (text: string) =>
    text
      .replaceAll(/\/tmp\/([ab])\b/g, `${folder.path}/$1`)
      .replaceAll("/tmp/page.warc.gz", file)
      .replaceAll("9443", String(ports[0]))
      .replaceAll("9444", String(ports[1]));
  await using shell = new Shell(here(peering.join("\n")));
  const [upload = "", search = "", ...more] = asking.map(here);
  expect(more).toEqual([]);
  await waitUntil("the lines to be run", () => shell.isDone, { deadlineMs: PEERED_MS });
  const ask = async (line: string) => {
    const { stdout } = await runProgram("bash", ["-euc", line]);
    return JSON.parse(stdout) as { readonly captures?: number; readonly hits?: readonly { readonly url: string }[] };
  };
  const wait = { deadlineMs: PEERED_MS, everyMs: 500 };
  const stored = await waitUntil("the first node to take the file", () => ask(upload), wait);
  expect(stored).toMatchObject({ captures: 1, damaged: [] });
  const found = async () => (await ask(search)).hits?.some(({ url }) => url === "https://example.org/");
  await waitUntil("the second node to find the page", found, wait);
  const held = async () => {
    const rows = await nodeCommandJson<readonly PolicyRow[]>("policy", "list", "--data", here("/tmp/b"));
    return rows.some((row) => row.held === 1 && row.missing.length === 0);
  };
  await waitUntil("the second node to hold the file", held, wait);
});

/** Runs lines, and keeps what they started in the background until it is disposed of. */
class Shell implements AsyncDisposable {
  readonly #child: ChildProcess;
  #output = "";

  constructor(lines: string) {
    const script = `trap 'kill $(jobs -p); wait' EXIT\n${lines}\necho lines done\nread -r _ || true`;
    this.#child = spawn("bash", ["-euc", script], { cwd: ROOT, stdio: "pipe" });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
  }

  get isDone(): boolean {
    if (this.#child.exitCode !== null) throw new Error(`the shell ended with ${this.#child.exitCode}: ${this.#output}`);
    return this.#output.includes("lines done");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "close");
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await ended;
  }
}
