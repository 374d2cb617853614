/** Whether this machine can run clusters: pure. What is missing is said in one line that tells what to do. */

const GIB = 2 ** 30;
/** Cold: 4 GiB of Go caches, 2 of our own, 1 per cluster, and what tests write. */
const NEEDED_GIB = 12;
/** With everything built, a cluster and the tests' data remain. */
const NEEDED_WARM_GIB = 4;
const GO_MINIMUM = [1, 26];

/**
 * @typedef {object} HostFacts
 * @property {string} platform
 * @property {number | undefined} userId
 * @property {boolean} isWarm the cluster's programs are built already, so Go is not needed
 * @property {boolean} hasGit
 * @property {string | undefined} goVersion what `go env GOVERSION` prints; undefined without Go
 * @property {number} freeBytes
 * @property {string} cache folder that `freeBytes` was asked of
 */

/**
 * @param {HostFacts} facts
 * @returns {string | undefined} the first thing to do something about
 */
export function hostProblem(facts) {
  return rootProblem(facts) ?? gitProblem(facts) ?? goProblem(facts) ?? diskProblem(facts);
}

/** @param {HostFacts} facts */
function rootProblem({ platform, userId }) {
  if (platform !== "linux") return "This needs Linux (Debian 12 or like it); run it in a virtual machine.";
  if (userId === 0) return undefined;
  return "This needs root: containers, mounts and Debian packages. Run the same command with sudo.";
}

/** @param {HostFacts} facts */
function gitProblem({ hasGit }) {
  return hasGit ? undefined : "git was not found: the checks ask it for the project's files. apt-get install git";
}

/** @param {HostFacts} facts */
function goProblem({ isWarm, goVersion }) {
  if (isWarm) return undefined;
  const hint = `Install Go ${GO_MINIMUM.join(".")} or newer from https://go.dev/dl/ and put its bin folder on PATH.`;
  if (goVersion === undefined) return `Go was not found: it builds the cluster's programs. ${hint}`;
  const [major = 0, minor = 0] = goVersion.replace(/^go/, "").split(".").map(Number);
  const isOld = major < GO_MINIMUM[0] || (major === GO_MINIMUM[0] && minor < GO_MINIMUM[1]);
  return isOld ? `Go is ${goVersion}, too old for Kubernetes 1.35. ${hint}` : undefined;
}

/** @param {HostFacts} facts */
function diskProblem({ isWarm, freeBytes, cache }) {
  const needed = isWarm ? NEEDED_WARM_GIB : NEEDED_GIB;
  if (freeBytes >= needed * GIB) return undefined;
  const have = (freeBytes / GIB).toFixed(1);
  return `Only ${have} GiB are free at ${cache}, ${needed} are needed. Free some, or set ARCHIVE_CACHE to a folder on a larger disk.`;
}
