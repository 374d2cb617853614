/** What the machine must have before anything else: root, Go, disk, Debian packages. One clear line when it has not. */
import { mkdirSync, statfsSync } from "node:fs";
import { logged, output, succeeds } from "../run/command.mjs";
import { PlainError, step } from "../run/steps.mjs";
import { CACHE } from "./cache-folder.mjs";
import { hostProblem } from "./host-problem.mjs";

async function hostFacts(isWarm) {
  mkdirSync(CACHE, { recursive: true });
  const { bavail, bsize } = statfsSync(CACHE);
  const goVersion = await output("go", ["env", "GOVERSION"], { env: { GOTOOLCHAIN: "local" } }).catch(() => undefined);
  return {
    platform: process.platform,
    userId: process.getuid?.(),
    isWarm,
    hasGit: await succeeds("git", ["--version"]),
    goVersion,
    freeBytes: bavail * bsize,
    cache: CACHE,
  };
}

/**
 * Checks root, Go and disk before anything is begun. `isWarm`: the programs are built already.
 *
 * @throws {PlainError} one line that says what to do
 */
export async function checkHost({ isWarm }) {
  await step("this machine", async () => {
    const problem = hostProblem(await hostFacts(isWarm));
    if (problem !== undefined) throw new PlainError(problem);
  });
}

/** Installs Debian packages that are missing, by their names, and says which. */
export async function installPackages(packages) {
  await step("Debian packages", async () => {
    const missing = [];
    for (const name of packages) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is dpkg-query's
      const status = await output("dpkg-query", ["-W", "-f", "${Status}", name]).catch(() => "");
      if (!status.endsWith(" installed")) missing.push(name);
    }
    if (missing.length === 0) return "cached";
    if (!(await succeeds("apt-get", ["--version"]))) {
      throw new PlainError(`Not found: ${missing.join(" ")}. apt-get is not here either; install them by hand.`);
    }
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await logged("apt-update", "apt-get", ["update"], { env });
    await logged("apt-install", "apt-get", ["install", "-y", "--no-install-recommends", ...missing], { env });
    return missing.join(" ");
  });
}
