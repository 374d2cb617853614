/**
 * Clusters of kind, up and down, each with a name and networks of its own so that several can run.
 * As a script: `node test/cluster/kind.mjs up|down NAME`, for NAME see CLUSTERS. Node 20, no dependencies.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { logged, output, succeeds } from "../run/command.mjs";
import { locked } from "../run/lock.mjs";
import { runScript } from "../run/script.mjs";
import { PlainError, step } from "../run/steps.mjs";
import { BIN, CACHE } from "./cache-folder.mjs";
import { chooseContainers, PODMAN_PACKAGES, RUN_FOLDER } from "./containers.mjs";
import { checkHost, installPackages } from "./host.mjs";
import { removeLeftovers } from "./leftovers.mjs";
import { makeNodeImage, OFFLINE_NODE_IMAGE } from "./node-image.mjs";
import { buildTools, missingTools, programsAreBuilt } from "./programs.mjs";

/** All inside 198.18.0.0/15, reserved for tests (RFC 2544). Pod ranges end in .0 and are /24 or larger. */
export const CLUSTERS = {
  "archive-demo": { pods: "198.18.0.0/18", services: "198.19.0.0/20" },
  "archive-test": { pods: "198.18.64.0/18", services: "198.19.64.0/20" },
  "archive-other": { pods: "198.18.128.0/19", services: "198.19.128.0/20" },
};
/** The network of the nodes themselves, one for all clusters. */
const NODES_SUBNET = "198.18.192.0/24";
const CREATE_MS = 30_000;

/**
 * @typedef {object} Cluster
 * @property {string} name
 * @property {string} kubeconfig path
 * @property {Record<string, string>} env to call kind, kubectl and helm with; KUBECONFIG included
 * @property {import("./containers.mjs").Containers} containers
 */

const stateFolder = (name) => join(CACHE, "clusters", name);

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** @returns {Promise<Cluster>} */
async function describe(name) {
  if (!(name in CLUSTERS))
    throw new PlainError(`No cluster is called "${name}"; there are: ${Object.keys(CLUSTERS).join(", ")}.`);
  const containers = await chooseContainers(read(join(stateFolder(name), "containers")));
  const kubeconfig = join(stateFolder(name), "kubeconfig");
  return { name, kubeconfig, containers, env: { ...containers.env, ...envFor(kubeconfig) } };
}

/** In which kubectl and helm talk to this cluster, whatever the person's own variables say: our commands delete things. */
export function envFor(kubeconfig) {
  const ofHelm = { HELM_KUBECONTEXT: "", HELM_KUBEAPISERVER: "", HELM_KUBETOKEN: "", HELM_NAMESPACE: "" };
  return { KUBECONFIG: kubeconfig, PATH: `${BIN}:${process.env.PATH}`, ...ofHelm };
}

async function isListed({ name, env }) {
  return (await output("kind", ["get", "clusters"], { env }).catch(() => "")).split("\n").includes(name);
}

function answers({ env }) {
  return succeeds("kubectl", ["get", "--raw", "/readyz", "--request-timeout", "10s"], { env });
}

/**
 * Checks the machine for `clusterUp`. Where kind can pull its node image and the three tools are there, Go is not needed.
 *
 * @throws {PlainError} one line that says what to do
 */
export async function checkClusterHost() {
  const { offline } = await chooseContainers();
  await checkHost({ isWarm: offline ? programsAreBuilt() : missingTools().length === 0 });
}

/**
 * Brings the cluster up and waits for its DNS and its volumes; a running one is left as it is.
 *
 * A cluster whose processes are gone (a restarted machine, an ended session) is still listed by kind; it is made anew.
 *
 * @returns {Promise<Cluster>}
 */
export async function clusterUp(name) {
  const cluster = await describe(name);
  if (cluster.containers.offline) {
    await installPackages(PODMAN_PACKAGES);
    await makeNodeImage(cluster.containers);
  } else await buildTools();
  await step(`cluster ${name}`, () => locked(`cluster-${name}`, () => bringUp(cluster)), { expectedMs: CREATE_MS });
  return cluster;
}

async function bringUp(cluster) {
  let detail;
  if (await isListed(cluster)) {
    if (await answers(cluster)) return "cached";
    detail = "the one before had died";
    await remove(cluster);
  }
  mkdirSync(stateFolder(cluster.name), { recursive: true });
  const { name, env, kubeconfig, containers } = cluster;
  writeFileSync(join(stateFolder(name), "containers"), containers.program);
  if (containers.offline) await locked("network", () => provideNetwork(env));
  const config = join(stateFolder(name), "kind.json");
  writeFileSync(config, JSON.stringify(containers.offline ? offlineConfig(name) : publishedConfig(name), undefined, 1));
  const create = ["create", "cluster", "--config", config, "--kubeconfig", kubeconfig, "--wait", "120s"];
  try {
    await logged(`create-${name}`, "kind", create, { env });
    // kind waits for the node; DNS and volumes take some seconds more.
    const available = ["wait", "deployment", "-A", "--all", "--for=condition=Available", "--timeout=120s"];
    await logged(`await-${name}`, "kubectl", available, { env });
  } catch (error) {
    await remove(cluster);
    throw error;
  }
  return detail;
}

/** The network of all nodes; podman's own choice for it could be one that the machine needs. */
async function provideNetwork(env) {
  if (await succeeds("podman", ["network", "exists", "kind"], { env })) return;
  await output("podman", ["network", "create", "--subnet", NODES_SUBNET, "kind"], { env }).catch((error) => {
    if (!/subnet .* is (already )?(used|being used)/.test(error.message)) throw error;
    throw new PlainError(
      `The network ${NODES_SUBNET} is taken (ip route shows by whom). Take down the cluster that runs with another ARCHIVE_CACHE; when its cache was removed before it, restart this machine.`,
    );
  });
}

function publishedConfig(name) {
  const { pods, services } = CLUSTERS[name];
  const networking = { podSubnet: pods, serviceSubnet: services };
  return {
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    name,
    networking,
    nodes: [{ role: "control-plane" }],
  };
}

function offlineConfig(name) {
  const { pods, services } = CLUSTERS[name];
  const mount = (file, text, containerPath) => {
    const hostPath = join(stateFolder(name), file);
    writeFileSync(hostPath, text);
    return { hostPath, containerPath, readOnly: true };
  };
  return {
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    name,
    networking: { podSubnet: pods, serviceSubnet: services, disableDefaultCNI: true },
    nodes: [
      {
        role: "control-plane",
        image: OFFLINE_NODE_IMAGE,
        extraMounts: [
          mount("network.json", JSON.stringify(bridgeNetwork(pods)), "/etc/cni/net.d/10-bridge.conflist"),
          mount(
            "refuse.conf",
            refuseStrayPackets([pods, services]),
            "/etc/systemd/system/kubelet.service.d/20-refuse.conf",
          ),
        ],
      },
    ],
    kubeadmConfigPatches: [
      // JSON is YAML; kubeadm merges these into what kind writes.
      { kind: "ClusterConfiguration", imageRepository: "localhost/kube" },
      // The host may have cgroup v1, and lower OOM scores need CAP_SYS_RESOURCE.
      { kind: "KubeletConfiguration", cgroupDriver: "cgroupfs", failCgroupV1: false, oomScoreAdj: 0 },
      // Left out, kube-proxy logs an error.
      { kind: "KubeProxyConfiguration", nodePortAddresses: ["primary"] },
    ].map((patch) => JSON.stringify(patch)),
  };
}

/** kindnet, kind's own network, is an image too. One node needs no more than a bridge on the first /24 of the pods. */
function bridgeNetwork(pods) {
  const subnet = pods.replace(/\/\d+$/, "/24");
  const ipam = { type: "host-local", ranges: [[{ subnet }]], routes: [{ dst: "0.0.0.0/0" }] };
  return {
    cniVersion: "1.0.0",
    name: "pods",
    plugins: [
      { type: "bridge", bridge: "cni0", isGateway: true, ipMasq: true, hairpinMode: true, ipam },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

/**
 * Until kube-proxy has written its rules, and for addresses that nobody has, packets to pods and Services would leave
 * the node by its default route. They are refused from before the kubelet starts; TCP by a reset, since the ICMP
 * errors alone are rate-limited and the first clients waited half a minute.
 */
function refuseStrayPackets(subnets) {
  const lines = ["[Service]"];
  for (const chain of ["FORWARD", "OUTPUT"]) {
    for (const subnet of subnets) {
      for (const refusal of ["-p tcp -j REJECT --reject-with tcp-reset", "-j REJECT"]) {
        const rule = `${chain} -d ${subnet} ! -o cni0 ${refusal}`;
        lines.push(`ExecStartPre=/bin/sh -c 'iptables -C ${rule} 2>/dev/null || iptables -A ${rule}'`);
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

async function remove({ name, env, kubeconfig, containers }) {
  await logged(`delete-${name}`, "kind", ["delete", "cluster", "--name", name, "--kubeconfig", kubeconfig], { env });
  if (containers.offline) {
    await locked("network", async () => {
      // Fails, rightly, while another cluster is on it.
      if (await succeeds("podman", ["network", "rm", "kind"], { env })) await removeLeftovers(RUN_FOLDER);
    });
  }
  rmSync(stateFolder(name), { recursive: true, force: true });
}

/** Deletes the cluster with everything in it; what was built stays in the cache. */
export async function clusterDown(name) {
  if (!(name in CLUSTERS) || existsSync(stateFolder(name))) {
    const cluster = await describe(name);
    await step(`remove cluster ${name}`, () => remove(cluster));
  } else await step(`remove cluster ${name}`, () => "there was none");
}

/**
 * Hands an image archive to the cluster's node, unless it has that image already.
 *
 * @param {Cluster} cluster
 * @param {string} archive path
 * @param {{repository: string, tag: string}} image what the archive holds
 */
export async function loadImage({ name, env }, archive, { repository, tag }) {
  const mark = join(stateFolder(name), `image-${repository.split("/").at(-1)}`);
  await step(
    `load ${repository}`,
    async () => {
      if (existsSync(mark) && readFileSync(mark, "utf8") === tag) return "cached";
      await logged(`load-${name}`, "kind", ["load", "image-archive", archive, "--name", name], { env });
      writeFileSync(mark, tag);
      return undefined;
    },
    { expectedMs: 5_000 },
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    const [verb, name = "archive-test"] = process.argv.slice(2);
    if (verb === "down") return await clusterDown(name);
    if (verb !== "up") throw new PlainError("usage: node test/cluster/kind.mjs up|down [NAME]");
    await checkClusterHost();
    const { kubeconfig } = await clusterUp(name);
    process.stdout.write(`export KUBECONFIG=${kubeconfig} PATH=${join(CACHE, "bin")}:$PATH\n`);
    return 0;
  });
}
