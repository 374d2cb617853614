/** The lines that the README tells a reader to copy, run as they stand there: only folders and address are others. */
import { execFile, execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { possible } from "../testkit/no-hard-links.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { waitUntil } from "../testkit/wait-until.ts";
import { gzipEach, pageRecord, warcinfo } from "../testkit/warc-builder.ts";

const README = resolve(import.meta.dirname, "../../README.md");
const withCurl = test.skipIf(!possible(() => execFileSync("curl", ["--version"], { stdio: "pipe" })));
const runProgram = promisify(execFile);
const SEARCHABLE_MS = 60_000;

/** The shell lines of the chapter on an archive without Kubernetes: those of the first shell, then those of the second. */
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
