/** Installs the npm dependencies, the Node 24 runtime among them, when the lock file changed. Node 20, no dependencies. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { node24Path } from "../cluster/images.mjs";
import { keyOf } from "../cluster/once.mjs";
import { logged, output } from "./command.mjs";
import { locked } from "./lock.mjs";
import { PlainError, step } from "./steps.mjs";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MARK = join(ROOT, "node_modules/.installed-from");
const REQUIRED_MAJOR = 24;

/**
 * Makes node_modules agree with the lock file.
 *
 * Not by `npm ci`: it refuses a lock file without the native packages of other platforms, and registry mirrors that
 * carry one platform only make such lock files. `npm install --no-save` takes the locked versions, checks their
 * hashes, and leaves both files alone.
 */
export async function installDependencies() {
  await step(
    "npm dependencies",
    () =>
      locked("npm-dependencies", async () => {
        const key = keyOf([join(ROOT, "package-lock.json"), join(ROOT, "package.json")]);
        if (existsSync(MARK) && readFileSync(MARK, "utf8") === key) return "cached";
        const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
        await logged("npm-install", "npm", args, { cwd: ROOT, env: { CI: "true" } });
        writeFileSync(MARK, key);
        return undefined;
      }),
    { expectedMs: 40_000 },
  );
  await step("Node 24 runtime", async () => {
    const version = await output(node24Path(), ["--version"]);
    if (!version.startsWith(`v${REQUIRED_MAJOR}.`))
      throw new PlainError(`The Node runtime from npm is ${version}, not 24.`);
    return version;
  });
}

/** Environment in which `node` is Node 24 and the tools of node_modules are on PATH. */
export function toolEnv() {
  const path = [dirname(node24Path()), join(ROOT, "node_modules/.bin"), process.env.PATH].join(":");
  return { PATH: path, FORCE_COLOR: process.stdout.isTTY ? "1" : "0" };
}
