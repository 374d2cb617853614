/**
 * The container program clusters run in: Docker where it can pull kind's published node image, else podman with a
 * store of our own in the cache and a node image built here. Node 20, no dependencies.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { output, succeeds } from "../run/command.mjs";
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

/** Docker, when it runs and can pull. The answer is kept for this process only: networks come and go. */
async function dockerCanPull() {
  if (!(await succeeds("docker", ["info"]))) return false;
  if (await succeeds("docker", ["image", "inspect", "docker.io/library/hello-world"])) return true;
  return await succeeds("timeout", ["60", "docker", "pull", "-q", "docker.io/library/hello-world"]);
}

let chosen;

/** @returns {Promise<Containers>} */
export async function chooseContainers() {
  chosen ??= (await dockerCanPull())
    ? { program: "docker", offline: false, env: { PATH: `${BIN}:${process.env.PATH}` } }
    : { program: "podman", offline: true, env: await writePodmanSettings() };
  return chosen;
}

/** Settings of our own store, so that nothing of the person's own podman is touched. */
async function writePodmanSettings() {
  mkdirSync(CACHE, { recursive: true });
  // kind mounts it into the node; a virtual machine with everything built into the kernel has none.
  mkdirSync("/lib/modules", { recursive: true });
  const openFiles = await output("bash", ["-c", "ulimit -Hn"]);
  const processes = readFileSync("/proc/sys/kernel/pid_max", "utf8").trim();
  // cgroupfs and file: the host may run no systemd and no journal. runc: containerd in the node needs it anyway.
  // ulimits: podman asks for more open files than the hard limit, and lowers the processes to pid_max; without
  // CAP_SYS_RESOURCE it then cannot start. These are what we have.
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
runroot = "/run/archive-operator/${keyOf([], CACHE)}"
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
