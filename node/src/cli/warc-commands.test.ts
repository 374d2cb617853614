import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { gzipEach, pageRecord, warcinfo, warcRecord } from "../../../test/testkit/warc-builder.ts";
import { runWarcCheck } from "./warc-check.ts";
import { runWarcIndex } from "./warc-index.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/archive-node", import.meta.url));
const CLEAN = gzipEach([warcinfo(), pageRecord("http://example.com/")]);
const WRONG = warcRecord({
  uri: "http://x/",
  block: "x",
  digest: false,
  fields: { "WARC-Block-Digest": `sha1:${"A".repeat(32)}` },
});

async function run(command: typeof runWarcCheck, args: readonly string[], file?: Uint8Array) {
  await using folder = await tempDir("cli");
  const path = join(folder.path, "a.warc.gz");
  if (file !== undefined) await writeFile(path, file);
  let text = "";
  const write = (part: string, done: () => void): boolean => {
    text += part;
    done();
    return true;
  };
  const io = { stdout: { write }, stderr: { write }, signal: AbortSignal.timeout(10_000) };
  const exitCode = await command([...args, ...(args.includes("--no-file") ? [] : [path])], io);
  return { exitCode, text };
}

test.each([
  ["a clean file", CLEAN, 0],
  ["a file cut short", CLEAN.subarray(0, -5), 1],
  ["a wrong digest", WRONG, 1],
  ["no archive", Buffer.from("hello"), 2],
  ["a missing file", undefined, 2],
])("check of %s", async (_name, file, expected) => {
  expect((await run(runWarcCheck, ["--json"], file)).exitCode).toBe(expected);
});

const TAR = Buffer.concat([Buffer.alloc(257), Buffer.from("ustar"), Buffer.alloc(250)]);

test.each([
  ["an empty file", Buffer.alloc(0), "empty file"],
  ["a WACZ", Buffer.from("PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0archive/data.warc.gz"), "WACZ"],
  ["a tar", TAR, "tar -xf"],
  ["a gzipped tar", gzipSync(TAR), "tar -xf"],
  ["bzip2", Buffer.from("BZh91AY&SY"), "bunzip2"],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4]), "unxz"],
  ["a file gzipped twice", gzipSync(CLEAN), "gzipped twice"],
])("check knows %s by name and says what to do", async (_name, file, expected) => {
  const { text, exitCode } = await run(runWarcCheck, [], file);
  expect(text).toContain(expected);
  expect(exitCode).toBeGreaterThan(0);
});

test("check names the record whose digest is wrong", async () => {
  expect((await run(runWarcCheck, [], WRONG)).text).toContain("response at 0 (http://x/): block digest does not match");
});

test("check prints one JSON object per file", async () => {
  const { text } = await run(runWarcCheck, ["--json"], CLEAN);
  expect(JSON.parse(text)).toMatchObject({
    format: "warc.gz",
    records: 2,
    types: { warcinfo: 1, response: 1 },
    damaged: [],
    digests: { verified: 2, mismatched: 0, unsupported: 0 },
    bytes: CLEAN.length,
  });
});

test("index prints lines, and exits 1 for damage", async () => {
  const clean = await run(runWarcIndex, [], CLEAN);
  expect(clean.exitCode).toBe(0);
  expect(clean.text).toMatch(/^com,example\)\/ 20260102030405 \{"url": "http:\/\/example\.com\/"/);
  expect((await run(runWarcIndex, [], CLEAN.subarray(0, -5))).exitCode).toBe(1);
});

test.each([
  ["no archive", Buffer.from("hello"), 2],
  ["an empty file", Buffer.alloc(0), 1],
  ["a missing file", undefined, 2],
])("of %s, check and index say the same", async (_name, file, expected) => {
  for (const command of [runWarcCheck, runWarcIndex]) expect((await run(command, [], file)).exitCode).toBe(expected);
});

test.each(["check", "index"])("Ctrl-C ends warc %s with 130 and without a trace", async (command) => {
  await using folder = await tempDir("cli");
  const [damaged, clean] = [join(folder.path, "damaged.warc.gz"), join(folder.path, "clean.warc.gz")];
  await writeFile(damaged, CLEAN.subarray(0, -5));
  await writeFile(clean, CLEAN);
  // The first file makes either command say something; the others keep it busy for longer than it takes to be told.
  const files = [damaged, ...Array.from({ length: 3_000 }, () => clean)];
  const child = spawn(process.execPath, [PROGRAM, "warc", command, ...files], { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (text: Buffer) => {
      if (said.stdout + said.stderr === "") child.kill("SIGINT");
      said[name] += text.toString();
    });
  }
  const [exitCode] = (await once(child, "close")) as [number | null];
  expect(exitCode).toBe(130);
  expect(said.stderr).toMatch(command === "check" ? /^$/ : /^.*are damaged: .*\n$/);
});

test.each([runWarcCheck, runWarcIndex])("unknown options end with the usage and 2", async (command) => {
  const { exitCode, text } = await run(command, ["--no-file"]);
  expect(exitCode).toBe(2);
  expect(text).toMatch(/^usage: archive-node warc/);
});
