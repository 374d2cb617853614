/**
 * `npm run demo`: from nothing to a searchable archive in a real cluster, showing every command a reader can repeat.
 * `npm run demo -- --down` removes the cluster. Safe to run again at any time. Node 20, no dependencies.
 */
import { fileURLToPath } from "node:url";
import { CACHE } from "../cluster/cache-folder.mjs";
import { installPackages } from "../cluster/host.mjs";
import { provideImages } from "../cluster/images.mjs";
import { checkClusterHost, clusterDown, clusterUp } from "../cluster/kind.mjs";
import { installDependencies } from "../run/dependencies.mjs";
import { alone } from "../run/lock.mjs";
import { runScript } from "../run/script.mjs";
import { formatDuration, step } from "../run/steps.mjs";
import { crawlSite, WGET } from "./crawl.mjs";
import { SITE_PACKAGE } from "./documentation-site.mjs";
import { askingCommands, COLLECTION, fillArchive, QUESTIONS } from "./fill-archive.mjs";
import { preamble, searchCommand, shell, uploadCommand } from "./reader-commands.mjs";
import { applyArchiveNode, helmArguments, installOperator, OPERATOR_NAMESPACE } from "./release.mjs";

const CLUSTER = "archive-demo";
/** The object in archive-node.yaml. */
const ARCHIVE = {
  namespace: "demo",
  name: "library",
  file: fileURLToPath(new URL("./archive-node.yaml", import.meta.url)),
};
const PACKAGES = [SITE_PACKAGE, "wget", "curl", "jq"];

function say(text = "") {
  process.stdout.write(`${text}\n`);
}

async function search(cluster) {
  for (const command of askingCommands()) {
    say(`\n$ ${command}`);
    say(await shell(cluster, ARCHIVE, command));
  }
}

/** What the steps did, as commands that can be repeated as they are. */
function whatWasDone(cluster, images, files) {
  say("\nWhat was done. A shell needs these lines first, for everything below:\n");
  say(preamble(cluster, ARCHIVE));
  say(`\n# the operator\n$ helm ${helmArguments(images).join(" ")}`);
  say(`\n# an archive\n$ kubectl get namespace demo || kubectl create namespace demo`);
  say(`$ kubectl apply -f ${ARCHIVE.file}\n$ kubectl -n demo wait archivenode/library --for=condition=Ready`);
  say("\n# files for it; the same ones again are no error");
  for (const file of files) say(`$ ${uploadCommand(COLLECTION, file)}`);
  say("\n# its text, and which captures of a page it has");
}

function whereNext() {
  say(`
To go on by hand:

  # how the archive is, in the object that owns it
  kubectl -n demo get archivenode library
  kubectl -n demo describe archivenode library

  # delete the pod: it comes back with everything in it
  kubectl -n demo delete pod library-0
  kubectl -n demo rollout status statefulset/library --timeout=120s
  ${searchCommand(QUESTIONS[0])}

  # crawl the manual yourself, in a folder of your own (in another terminal: node test/demo/documentation-site.mjs), and upload it
  ${WGET}
  for FILE in manual-*.warc.gz; do
    ${uploadCommand(COLLECTION, "$FILE")}
  done

  # the operator, and every field of the three kinds
  kubectl -n ${OPERATOR_NAMESPACE} get pods
  kubectl explain archivenode.spec

  # remove the cluster; what was built stays in ${CACHE}
  npm run demo -- --down`);
}

async function main() {
  if (process.argv.includes("--down")) return await clusterDown(CLUSTER);
  const start = performance.now();
  await checkClusterHost();
  await installPackages(PACKAGES);
  await installDependencies();
  const cluster = await clusterUp(CLUSTER);
  const images = await provideImages(cluster);
  await step("operator, by helm", () => installOperator(cluster, images), { expectedMs: 15_000 });
  const archive = { ...ARCHIVE, version: images.node.tag };
  await step("kubectl apply: an ArchiveNode, until it is ready", () => applyArchiveNode(cluster, archive), {
    expectedMs: 20_000,
  });
  const files = await crawlSite();
  await fillArchive(cluster, ARCHIVE, files);
  whatWasDone(cluster, images, files);
  await search(cluster);
  whereNext();
  say(`\nDone in ${formatDuration(performance.now() - start)}.`);
  return 0;
}

await runScript(() => alone("npm run demo", main));
