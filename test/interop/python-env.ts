/**
 * Makes the Python environment of the peers we compare with, once per machine, and gives the path of its interpreter.
 *
 * Lives in the user's cache folder, named by a digest of the pinned list, so that a new pin makes a new environment.
 * Run directly, it prints the interpreter's path.
 */
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Two readers, and the indexer whose lines ours must equal. All run as programs of their own and are part of nothing we ship. */
const PINS = ["warcio==1.8.1", "cdxj-indexer==1.5.0", "fastwarc==2.0.1"] as const;

export interface PythonEnv {
  readonly python: string;
  /** Folder of the console scripts, such as `cdxj-indexer`. */
  readonly bin: string;
}

/**
 * @param pins - `name==version` of each package wanted
 * @returns the environment, made on first call (about 20 s, needs PyPI)
 * @throws when Python 3 or PyPI is missing; callers skip by name
 */
export async function pythonEnv(pins: readonly string[] = PINS): Promise<PythonEnv> {
  const name = createHash("sha256").update(pins.join("\n")).digest("hex").slice(0, 12);
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(cache, "archive-operator", "python");
  const home = join(folder, name);
  const done: PythonEnv = { python: join(home, "bin", "python"), bin: join(home, "bin") };
  if (await exists(join(home, "ready"))) return done;
  await mkdir(folder, { recursive: true });
  await rm(home, { recursive: true, force: true });
  await run("python3", ["-m", "venv", home]);
  await run(done.python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...pins]);
  await markReady(home);
  return done;
}

/** The mark comes last and at once, so that an install that was cut off is made anew. */
async function markReady(home: string): Promise<void> {
  const draft = join(home, `ready.${randomUUID()}`);
  await mkdir(draft);
  await rename(draft, join(home, "ready"));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) console.log((await pythonEnv()).python);
