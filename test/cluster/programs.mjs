/**
 * Builds the cluster's programs from Go modules, once: all of Kubernetes, kind, kubectl and helm in one file (see kube/),
 * or those three alone. As a script: `node test/cluster/programs.mjs` builds what the integration tests need. Node 20, no
 * dependencies.
 */
import { accessSync, constants, cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { logged, output } from "../run/command.mjs";
import { runScript } from "../run/script.mjs";
import { step } from "../run/steps.mjs";
import { BIN, CACHE } from "./cache-folder.mjs";
import { checkHost } from "./host.mjs";
import { isDone, keyOf, once } from "./once.mjs";

const SOURCE = fileURLToPath(new URL("./kube/", import.meta.url));
/** Of Kubernetes; stands in kube/go.mod too. */
export const KUBERNETES_VERSION = "v1.35.4";
/** 7.5 minutes on two cores with empty Go caches. */
const COLD_BUILD_MS = 450_000;
/** The same with the tools alone. */
const COLD_TOOLS_MS = 150_000;
/** kind's own files for a node image (entrypoint, units), out of its module. */
export const KIND_FILES = join(CACHE, "kind-files");

const GO_ENV = { GOTOOLCHAIN: "local", CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" };
const TOOLS = ["kind", "kubectl", "helm"];
const SERVERS = ["kubeadm", "etcd", "kube-apiserver", "kube-controller-manager"];

export const KUBE_SOURCES = ["go.mod", "go.sum", "main.go", "cluster.go", "names.go", "volumes.go"].map((name) =>
  join(SOURCE, name),
);
const sourcesKey = () => keyOf(KUBE_SOURCES, KUBERNETES_VERSION);
const arePresent = () => existsSync(join(BIN, "kube")) && existsSync(join(KIND_FILES, "kind"));

/** True when every program is there, from today's sources: then nothing needs Go. */
export function programsAreBuilt() {
  return isDone("programs", sourcesKey()) && arePresent();
}

/** Those of kind, kubectl and helm that are neither built nor installed. */
export function missingTools(path = process.env.PATH ?? "") {
  const folders = [BIN, ...path.split(":")];
  return TOOLS.filter((name) => !folders.some((folder) => isProgram(join(folder, name))));
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Builds kube/ into BIN under a name, with these build tags, and gives it further names. */
async function build(fileName, tags, names) {
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
  const fresh = join(BIN, `${fileName}.new`);
  // -s -w: without symbols, 60 MB less.
  const args = ["build", "-trimpath", "-tags", tags, "-o", fresh, "-ldflags", `-s -w ${flags.join(" ")}`, "."];
  await logged("build-programs", "go", args, { cwd: SOURCE, env: GO_ENV });
  await output("mv", [fresh, join(BIN, fileName)]);
  for (const name of names) {
    rmSync(join(BIN, name), { force: true });
    symlinkSync(fileName, join(BIN, name));
  }
}

async function buildAll() {
  // providerless: without the cloud providers' code.
  await build("kube", "providerless", [...TOOLS, ...SERVERS]);
  const kind = await moduleFolder("sigs.k8s.io/kind");
  rmSync(KIND_FILES, { recursive: true, force: true });
  cpSync(join(kind, "images/base/files"), KIND_FILES, { recursive: true });
  await output("chmod", ["-R", "u+w", KIND_FILES]); // the module cache is read-only
  await buildPause();
}

/** Where the sources of a Go module lie. */
const moduleFolder = (module) => output("go", ["list", "-m", "-f", "{{.Dir}}", module], { cwd: SOURCE, env: GO_ENV });

/** One `pause` runs per pod and holds its namespaces, so it must be tiny: Kubernetes' own C program. */
async function buildPause() {
  const source = join(await moduleFolder("k8s.io/kubernetes"), "build/pause/linux/pause.c");
  const define = `-DVERSION="${KUBERNETES_VERSION}"`;
  await output("gcc", ["-Os", "-static", define, "-o", join(BIN, "pause"), source]);
}

export async function buildPrograms() {
  await once("programs", sourcesKey(), buildAll, {
    title: "cluster programs (Go)",
    expectedMs: COLD_BUILD_MS,
    present: arePresent,
  });
}

/** Provides kind, kubectl and helm: what of them is installed or built stays, the rest is built. */
export async function buildTools() {
  const missing = missingTools();
  if (missing.length === 0) return await step("kind, kubectl and helm", () => "cached");
  await once("tools", keyOf([], sourcesKey(), ...missing), () => build("kube-tools", "providerless,tools", missing), {
    title: `${missing.join(", ")} (Go)`,
    expectedMs: COLD_TOOLS_MS,
    present: () => missingTools().length === 0,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    await checkHost({ isWarm: programsAreBuilt() });
    await buildPrograms();
  });
}
