/**
 * The container program clusters run in: Docker where it can pull kind's published node image, else podman with a
 * store of our own in the cache and a node image built here. Node 20, no dependencies.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { output } from "../run/command.mjs";
import { step } from "../run/steps.mjs";
import { BIN, CACHE } from "./cache-folder.mjs";
import { keyOf } from "./once.mjs";

/** What the podman way needs. iptables: netavark calls it, and ends with "No such file or directory" without it. */
export const PODMAN_PACKAGES = [
  ...["podman", "netavark", "aardvark-dns", "runc", "containerd", "iptables", "debootstrap", "gcc", "libc6-dev"],
];

/**
 * @typedef {object} Containers
 * @property {"docker" | "podman"} program
 * @property {boolean} offline the node image is built here
 * @property {Record<string, string>} env for the program itself, kind, kubectl and helm
 */

/** Where podman keeps what does not outlive the machine. */
export const RUN_FOLDER = `/run/archive-operator/${keyOf([], CACHE)}`;

/** Docker on a machine under load answers within this. */
const ASK_SECONDS = 10;
/** For one image of 10 KB; a registry that does not answer in this time would take hours for the node image. */
const PULL_SECONDS = 20;

/** Ends the program itself when time is up: a daemon that hangs must not hang us. */
function docker(seconds, ...args) {
  return output("timeout", ["--kill-after", "2", String(seconds), "docker", ...args]).catch(() => undefined);
}

/** Why Docker is not used; undefined when it is. */
async function dockerProblem() {
  // podman's imitation of Docker has no such field; for kind it is not Docker.
  if (!(await docker(ASK_SECONDS, "info", "--format", "{{.ServerVersion}}"))) return "no Docker answers here";
  if (await docker(ASK_SECONDS, "images", "--quiet", "kindest/node")) return undefined;
  const pulled = await docker(PULL_SECONDS, "pull", "--quiet", "docker.io/library/hello-world");
  return pulled === undefined ? "Docker cannot pull images here" : undefined;
}

/** @returns {Promise<Containers>} */
async function containersOf(program) {
  if (program === "podman") return { program, offline: true, env: await writePodmanSettings() };
  const env = { KIND_EXPERIMENTAL_PROVIDER: "docker", PATH: `${BIN}:${process.env.PATH}` };
  return { program: "docker", offline: false, env };
}

let chosen;

/**
 * @param {string | undefined} recorded "docker" or "podman": what an existing cluster runs in. Without it this process looks
 *   once which of them can be used; the answer is not kept longer, since networks come and go.
 * @returns {Promise<Containers>}
 */
export async function chooseContainers(recorded) {
  if (recorded) return await containersOf(recorded);
  if (chosen === undefined) {
    await step("containers", async () => {
      const problem = await dockerProblem();
      chosen = await containersOf(problem === undefined ? "docker" : "podman");
      return problem === undefined ? "Docker, with kind's published node image" : `podman: ${problem}`;
    });
  }
  return chosen;
}

/** Settings of our own store, so that nothing of the person's own podman is touched. */
async function writePodmanSettings() {
  mkdirSync(CACHE, { recursive: true });
  // kind mounts it into the node; a virtual machine with everything built into the kernel has none.
  mkdirSync("/lib/modules", { recursive: true });
  const openFiles = await output("bash", ["-c", "ulimit -Hn"]);
  const mayStart = await output("bash", ["-c", "ulimit -Hu"]);
  const exist = readFileSync("/proc/sys/kernel/pid_max", "utf8").trim();
  const processes = mayStart === "unlimited" ? exist : Math.min(Number(mayStart), Number(exist));
  // cgroupfs and file: the host may run no systemd and no journal. runc: containerd in the node needs it anyway.
  // ulimits: podman asks for more open files than the hard limit, and for as many processes as pid_max, which can be more than
  // we may start; without CAP_SYS_RESOURCE it then cannot start a container. These are what we have.
  const containers = `[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_backend = "netavark"
network_config_dir = "${join(CACHE, "networks")}"
[containers]
default_ulimits = ["nofile=${openFiles}:${openFiles}", "nproc=${processes}:${processes}"]
`;
  const storage = `[storage]
driver = "overlay"
graphroot = "${join(CACHE, "storage")}"
runroot = "${RUN_FOLDER}"
`;
  writeFileSync(join(CACHE, "containers.conf"), containers);
  writeFileSync(join(CACHE, "storage.conf"), storage);
  const env = {
    CONTAINERS_CONF: join(CACHE, "containers.conf"),
    CONTAINERS_STORAGE_CONF: join(CACHE, "storage.conf"),
    KIND_EXPERIMENTAL_PROVIDER: "podman",
    PATH: `${BIN}:${process.env.PATH}`,
  };
  const lines = Object.entries(env).map(([name, value]) =>
    name === "PATH" ? `export PATH="${BIN}:$PATH"` : `export ${name}="${value}"`,
  );
  writeFileSync(join(CACHE, "env"), `${lines.join("\n")}\n`);
  return env;
}
