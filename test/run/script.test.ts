/** The entry scripts as processes: what a person sees who runs two at once, or stops one. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TempDir, tempDir } from "../testkit/temp-dir.ts";
import { waitUntil } from "../testkit/wait-until.ts";
import { ROOT } from "./dependencies.mjs";

/** Holds the lock while a program runs that a file ends, and that has started another. */
const SCRIPT = (how: string) => `
import { writeFileSync } from "node:fs";
import { ${how} as hold } from "${ROOT}test/run/lock.mjs";
import { logged } from "${ROOT}test/run/command.mjs";
import { runScript } from "${ROOT}test/run/script.mjs";
const [, , name] = process.argv;
await runScript(() => hold("the work", async () => {
  process.stdout.write(name + " begins\\n");
  await logged(name, "bash", ["-c", "(trap 'sleep 0.5; exit' TERM; while :; do sleep 0.1; done) & echo $! > " + name + ".pid; while [ -e " + name + ".pid ] && [ ! -e end ]; do sleep 0.1; done; kill $!"]);
  process.stdout.write(name + " ends\\n");
}));
`;

let folder: TempDir;
let running: Script[];

interface Script {
  readonly child: ChildProcess;
  readonly exit: Promise<number | string>;
  printed: string;
}

beforeEach(async () => {
  folder = await tempDir("entry-script");
  running = [];
  for (const how of ["locked", "alone"]) await writeFile(join(folder.path, `${how}.mjs`), SCRIPT(how));
});

afterEach(async () => {
  for (const { child, exit } of running) {
    child.kill("SIGTERM"); // it ends its programs, which SIGKILL would leave
    await exit;
  }
  await folder.remove();
});

function start(how: "locked" | "alone", name: string): Script {
  const child = spawn(process.execPath, [`${how}.mjs`, name], {
    cwd: folder.path,
    env: { ...process.env, ARCHIVE_CACHE: join(folder.path, "cache") },
  });
  const exit = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? String(signal)));
  });
  const script: Script = { child, exit, printed: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      script.printed += text;
    });
  }
  running.push(script);
  return script;
}

const prints = (script: Script, text: string) =>
  waitUntil(`"${text}"`, () => Promise.resolve(script.printed.includes(text)), { deadlineMs: 20_000, everyMs: 20 });

/** The process that the script's program has started itself. */
async function grandchild(name: string): Promise<number> {
  const path = join(folder.path, `${name}.pid`);
  // The shell makes the file before it writes into it.
  const written = async () => /^\d+\n$/.exec(await readFile(path, "utf8"));
  return Number(await waitUntil(path, written, { deadlineMs: 20_000, everyMs: 20 }));
}

/** False for one that has ended and was not yet asked about. */
async function isAlive(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "x (x) Z");
  return !/\) [ZX]/.test(state);
}

const endWork = () => mkdir(join(folder.path, "end"));

test("of two at once the second names the first, waits, and goes on after it", async () => {
  const first = start("locked", "first");
  await prints(first, "first begins");
  const second = start("locked", "second");
  await prints(second, `waiting for process ${first.child.pid}`);
  expect(second.printed).not.toContain("second begins");
  await endWork();
  expect([await first.exit, await second.exit]).toEqual([0, 0]);
  expect(second.printed).toContain("second ends");
});

test("where waiting makes no sense, the second ends at once with one line that names the first", async () => {
  const first = start("alone", "first");
  await prints(first, "first begins");
  const second = start("alone", "second");
  expect(await second.exit).toBe(1);
  expect(second.printed.trim()).toMatch(
    new RegExp(`^the work is running already, as process ${first.child.pid} .*run this again\\.$`),
  );
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s ends all that the script started, and says how to go on",
  async (signal) => {
    const script = start("locked", "first");
    const pid = await grandchild("first");
    expect(await isAlive(pid)).toBe(true);
    script.child.kill(signal);
    expect(await script.exit).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
    expect(script.printed).toContain(`Stopped (${signal}). Run the same command again`);
    expect(script.printed).not.toContain("at "); // no stack
    expect(await isAlive(pid)).toBe(false); // waited for, though what had started it was gone already
  },
);

test("a lock whose owner was killed is free", async () => {
  const first = start("locked", "first");
  await prints(first, "first begins");
  const left = await grandchild("first");
  first.child.kill("SIGKILL");
  await first.exit;
  const second = start("locked", "second");
  await prints(second, "second begins");
  await endWork();
  expect(await second.exit).toBe(0);
  await waitUntil(`process ${left} to end`, async () => !(await isAlive(left)), { deadlineMs: 20_000, everyMs: 20 });
});
