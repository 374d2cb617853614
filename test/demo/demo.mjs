/**
 * `npm run demo`: from nothing to a searchable archive in a real cluster, showing every command a reader can repeat.
 * `npm run demo -- --down` removes the cluster. Safe to run again at any time. Node 20, no dependencies.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CACHE } from "../cluster/cache-folder.mjs";
import { checkHost, installPackages } from "../cluster/host.mjs";
import { IMAGES, provideImages } from "../cluster/images.mjs";
import { clusterDown, clusterUp } from "../cluster/kind.mjs";
import { programsAreBuilt } from "../cluster/programs.mjs";
import { logged, output } from "../run/command.mjs";
import { installDependencies, ROOT } from "../run/dependencies.mjs";
import { formatDuration, PlainError, runScript, step } from "../run/steps.mjs";
import { crawlSite, WGET } from "./crawl.mjs";
import { SITE_PACKAGE } from "./documentation-site.mjs";

const CLUSTER = "archive-demo";
const SAMPLE = fileURLToPath(new URL("./archive-node.yaml", import.meta.url));
const PACKAGES = [SITE_PACKAGE, "wget", "curl", "jq"];
const QUESTIONS = ["vacuum freeze wraparound", '"write ahead log" archiving', "jsonb index"];
const INDEXED_MS = 120_000;

function say(text = "") {
  process.stdout.write(`${text}\n`);
}

/** `repository:tag` as the chart wants it: apart. */
function imageValues(name, key) {
  const { tag } = IMAGES[name];
  const colon = tag.lastIndexOf(":");
  return ["--set", `${key}.repository=${tag.slice(0, colon)}`, "--set", `${key}.tag=${tag.slice(colon + 1)}`];
}

async function installOperator({ env }) {
  const chart = join(ROOT, "charts/archive-operator");
  const release = [
    "upgrade",
    "--install",
    "archive-operator",
    chart,
    "--namespace",
    "archive-system",
    "--create-namespace",
  ];
  const values = [...imageValues("operator", "image"), ...imageValues("node", "nodeImage")];
  await step(
    "operator, by helm",
    () => logged("helm", "helm", [...release, ...values, "--wait", "--timeout", "3m"], { env }),
    {
      expectedMs: 15_000,
    },
  );
  // The tag is always "dev": new contents reach the pods by a restart.
  const restart = ["-n", "archive-system", "rollout", "restart", "deployment/archive-operator"];
  await output("kubectl", restart, { env });
  await output(
    "kubectl",
    ["-n", "archive-system", "rollout", "status", "deployment/archive-operator", "--timeout=3m"],
    { env },
  );
}

async function makeArchive({ env }) {
  await step(
    "kubectl apply: an ArchiveNode, until it is ready",
    async () => {
      const namespace = await output("kubectl", ["create", "namespace", "demo", "--dry-run=client", "-o", "yaml"], {
        env,
      });
      await output("kubectl", ["apply", "-f", "-"], { env, input: namespace });
      await output("kubectl", ["apply", "-f", SAMPLE], { env });
      const ready = ["-n", "demo", "wait", "archivenode/library", "--for=condition=Ready", "--timeout=180s"];
      await output("kubectl", ready, { env }).catch(async (error) => {
        const described = await output("kubectl", ["-n", "demo", "describe", "archivenode", "library"], { env });
        throw new PlainError(`The ArchiveNode did not become ready.\n${error.message}\n${described}`);
      });
    },
    { expectedMs: 20_000 },
  );
}

const ADDRESS_OF_NODE = `{.items[0].status.addresses[?(@.type=="InternalIP")].address}`;
const WEB_PORT = `{.spec.ports[?(@.name=="web")].nodePort}`;

/** Shell lines that a reader pastes first; the demo runs its own commands behind the same. */
function preamble({ kubeconfig }) {
  return [
    `export KUBECONFIG=${kubeconfig} PATH=${join(CACHE, "bin")}:$PATH`,
    `HOST=$(kubectl get node -o jsonpath='${ADDRESS_OF_NODE}')`,
    `PORT=$(kubectl -n demo get service library -o jsonpath='${WEB_PORT}')`,
    "ARCHIVE=http://$HOST:$PORT",
    "TOKEN=$(kubectl -n demo get secret library-access -o jsonpath='{.data.token}' | base64 -d)",
  ].join("\n");
}

function shell(cluster, command) {
  const script = `set -euo pipefail\n${preamble(cluster)}\n${command}`;
  return output("bash", ["-c", script], { env: cluster.env });
}

const uploadCommand = (file) =>
  `curl -sS --fail-with-body -X POST -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/gzip' -T ${file} $ARCHIVE/api/v1/collections/manuals/warcs`;

async function upload(cluster, files) {
  const receipts = [];
  await step(`upload ${files.length} WARC files`, async () => {
    for (const file of files) receipts.push(JSON.parse(await shell(cluster, uploadCommand(file))));
    return `${receipts.reduce((sum, one) => sum + one.captures, 0)} captures`;
  });
  await step("wait until all of it is searchable", async () => {
    const deadline = performance.now() + INDEXED_MS;
    for (;;) {
      const { blobs } = JSON.parse(
        await shell(cluster, "curl -sS --fail-with-body $ARCHIVE/api/v1/collections/manuals/warcs"),
      );
      const failed = blobs.find((one) => one.state === "failed");
      if (failed) throw new PlainError(`${failed.filename ?? failed.hash} could not be indexed: ${failed.reason}`);
      const done = blobs.filter((one) => one.state === "searchable").length;
      if (done >= receipts.length) return `${done} files`;
      if (performance.now() > deadline)
        throw new PlainError(`${done} of ${receipts.length} files are searchable after ${formatDuration(INDEXED_MS)}.`);
    }
  });
}

const searchCommand = (question) =>
  `curl -sS --fail-with-body -G $ARCHIVE/api/v1/search --data-urlencode 'q=${question}' -d limit=3 | jq -r '"\\(.total) pages in \\(.tookMs) ms", (.hits[] | "  \\(.title)\\n    \\(.url)")'`;

async function search(cluster) {
  for (const question of QUESTIONS) {
    const command = searchCommand(question);
    say(`\n$ ${command}`);
    say(await shell(cluster, command));
  }
}

function whereNext(files) {
  say(`
To go on by hand:

  # how the archive is, in the object that owns it
  kubectl -n demo get archivenode library
  kubectl -n demo describe archivenode library

  # delete the pod: it comes back with everything in it
  kubectl -n demo delete pod library-0
  kubectl -n demo wait archivenode/library --for=condition=Ready --timeout=120s
  ${searchCommand(QUESTIONS[0])}

  # crawl the manual yourself (in another terminal: node test/demo/documentation-site.mjs), and upload it
  ${WGET}
  ${uploadCommand(files[0])}

  # every field of the three kinds
  kubectl explain archivenode.spec

  # remove the cluster; what was built stays in ${CACHE}
  npm run demo -- --down`);
}

async function main() {
  if (process.argv.includes("--down")) return await clusterDown(CLUSTER);
  const start = performance.now();
  await checkHost({ isWarm: programsAreBuilt() });
  await installPackages(PACKAGES);
  await installDependencies();
  const cluster = await clusterUp(CLUSTER);
  await provideImages(cluster);
  await installOperator(cluster);
  await makeArchive(cluster);
  const files = await crawlSite();
  await upload(cluster, files);
  say("\nYour shell, for everything below:\n");
  say(preamble(cluster));
  await search(cluster);
  whereNext(files);
  say(`\nDone in ${formatDuration(performance.now() - start)}.`);
  return 0;
}

await runScript(main);
