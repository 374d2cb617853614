/** What the machine must have before anything else: root, Go, disk, Debian packages. One clear line when it has not. */
import { mkdirSync, statfsSync } from "node:fs";
import { logged, output, succeeds } from "../run/command.mjs";
import { PlainError, step } from "../run/steps.mjs";
import { CACHE } from "./cache-folder.mjs";

const GIB = 2 ** 30;
/** Cold: 4 GiB of Go caches, 2 of our own, 1 per cluster, and what tests write. */
const NEEDED_BYTES = 12 * GIB;
/** With everything built, a cluster and the tests' data remain. */
const NEEDED_WARM_BYTES = 4 * GIB;
const GO_MINIMUM = [1, 26];

/** @throws {PlainError} not on Debian's or Ubuntu's Linux, or not root */
function checkRoot() {
  if (process.platform !== "linux")
    throw new PlainError("This needs Linux (Debian 12 or like it); run it in a virtual machine.");
  if (process.getuid() !== 0) {
    throw new PlainError("This needs root: containers, mounts and Debian packages. Run the same command with sudo.");
  }
}

async function checkGo() {
  const version = await output("go", ["env", "GOVERSION"], { env: { GOTOOLCHAIN: "local" } }).catch(() => undefined);
  const hint = `Install Go ${GO_MINIMUM.join(".")} or newer from https://go.dev/dl/ and put its bin folder on PATH.`;
  if (version === undefined) throw new PlainError(`Go was not found: it builds the cluster's programs. ${hint}`);
  const [major = 0, minor = 0] = version.replace(/^go/, "").split(".").map(Number);
  if (major < GO_MINIMUM[0] || (major === GO_MINIMUM[0] && minor < GO_MINIMUM[1])) {
    throw new PlainError(`Go is ${version}, too old for Kubernetes 1.35. ${hint}`);
  }
}

function checkDisk(isWarm) {
  mkdirSync(CACHE, { recursive: true });
  const { bavail, bsize } = statfsSync(CACHE);
  const needed = isWarm ? NEEDED_WARM_BYTES : NEEDED_BYTES;
  if (bavail * bsize >= needed) return;
  const have = (bavail * bsize) / GIB;
  throw new PlainError(
    `Only ${have.toFixed(1)} GiB are free at ${CACHE}, ${needed / GIB} are needed. Free some, or set ARCHIVE_CACHE to a folder on a larger disk.`,
  );
}

/** Checks root, Go and disk. `isWarm`: the programs are built already. */
export async function checkHost({ isWarm, needsGo = true }) {
  await step("this machine", async () => {
    checkRoot();
    if (needsGo && !isWarm) await checkGo();
    checkDisk(isWarm);
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
