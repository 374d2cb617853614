/**
 * Builds the cluster's programs from Go modules, once: all of Kubernetes, kind, kubectl and helm in one file (see kube/).
 * As a script: `node test/cluster/programs.mjs` builds what the integration tests need. Node 20, no dependencies.
 */
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { logged, output } from "../run/command.mjs";
import { runScript } from "../run/steps.mjs";
import { BIN, CACHE } from "./cache-folder.mjs";
import { checkHost } from "./host.mjs";
import { keyOf, once } from "./once.mjs";

const SOURCE = fileURLToPath(new URL("./kube/", import.meta.url));
/** Of Kubernetes; stands in kube/go.mod too. */
export const KUBERNETES_VERSION = "v1.35.4";
/** 7.5 minutes on two cores with empty Go caches. */
const COLD_BUILD_MS = 450_000;
/** kind's own files for a node image (entrypoint, units), out of its module. */
export const KIND_FILES = join(CACHE, "kind-files");

const GO_ENV = { GOTOOLCHAIN: "local", CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" };
const NAMES = ["kind", "kubectl", "helm", "kubeadm", "etcd", "kube-apiserver", "kube-controller-manager"];

export const KUBE_SOURCES = ["go.mod", "go.sum", "main.go", "cluster.go", "names.go", "volumes.go"].map((name) =>
  join(SOURCE, name),
);

/** True when every program is there: then nothing needs Go. */
export function programsAreBuilt() {
  return existsSync(join(BIN, "kube")) && existsSync(join(KIND_FILES, "kind"));
}

async function build() {
  const [major, minor] = KUBERNETES_VERSION.slice(1).split(".");
  const version = "k8s.io/component-base/version";
  // Without these the API server calls itself v0.0.0 and kubeadm refuses it.
  const flags = Object.entries({
    gitVersion: KUBERNETES_VERSION,
    gitMajor: major,
    gitMinor: minor,
    gitCommit: "local",
    gitTreeState: "clean",
  }).map(([name, value]) => `-X ${version}.${name}=${value}`);
  mkdirSync(BIN, { recursive: true });
  // Built aside and moved: a running server keeps its file, and a build cut short leaves the old one.
  const fresh = join(BIN, "kube.new");
  // providerless: without the cloud providers' code. -s -w: without symbols, 60 MB less.
  await logged(
    "build-programs",
    "go",
    ["build", "-trimpath", "-tags", "providerless", "-o", fresh, "-ldflags", `-s -w ${flags.join(" ")}`, "."],
    { cwd: SOURCE, env: GO_ENV },
  );
  await output("mv", [fresh, join(BIN, "kube")]);
  for (const name of NAMES) {
    rmSync(join(BIN, name), { force: true });
    symlinkSync("kube", join(BIN, name));
  }
  const kind = await output("go", ["list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kind"], { cwd: SOURCE, env: GO_ENV });
  rmSync(KIND_FILES, { recursive: true, force: true });
  cpSync(join(kind, "images/base/files"), KIND_FILES, { recursive: true });
  await output("chmod", ["-R", "u+w", KIND_FILES]); // the module cache is read-only
  await buildPause();
}

/** One `pause` runs per pod and holds its namespaces, so it must be tiny: Kubernetes' own C program. */
async function buildPause() {
  const kubernetes = await output("go", ["list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes"], {
    cwd: SOURCE,
    env: GO_ENV,
  });
  const source = join(kubernetes, "build/pause/linux/pause.c");
  const define = `-DVERSION="${KUBERNETES_VERSION}"`;
  await output("gcc", ["-Os", "-static", define, "-o", join(BIN, "pause"), source]);
}

export async function buildPrograms() {
  await once("programs", keyOf(KUBE_SOURCES, KUBERNETES_VERSION), build, {
    title: "cluster programs (Go)",
    expectedMs: COLD_BUILD_MS,
    present: programsAreBuilt,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    await checkHost({ isWarm: programsAreBuilt() });
    await buildPrograms();
  });
}
