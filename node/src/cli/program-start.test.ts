import { execFile } from "node:child_process";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { USAGE } from "./command-line.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/archive-node", import.meta.url));
const runProgram = promisify(execFile);

async function help(env: Readonly<Record<string, string>>): Promise<string> {
  const { NODE_COMPILE_CACHE: _own, ARCHIVE_CACHE: _named, ...rest } = process.env;
  const { stdout } = await runProgram(process.execPath, [PROGRAM, "help"], { env: { ...rest, ...env } });
  return stdout;
}

test("the program keeps compiled code for its next start in its user's folder", async () => {
  await using home = await tempDir("home");
  expect(await help({ HOME: home.path })).toBe(USAGE);
  expect(await readdir(join(home.path, ".cache/archive-operator/compiled"))).not.toEqual([]);
  expect(await help({ HOME: home.path })).toBe(USAGE);
});

test("the program starts where no compiled code can be kept", async () => {
  await using folder = await tempDir("home");
  const file = join(folder.path, "file");
  await writeFile(file, "");
  expect(await help({ HOME: file })).toBe(USAGE);
  expect(await help({ HOME: "/proc/1" })).toBe(USAGE);
});
