/**
 * `npm run demo`: from nothing to a small federation in a real cluster, showing every command a reader can repeat.
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
import {
  approve,
  copiedFilesCommand,
  discoveredPeer,
  GET_COMMAND,
  holders,
  pageCommand,
  QUESTIONS,
  questionCommand,
  READY_COMMANDS,
  until,
  wideQuestionCommand,
} from "./federation-story.mjs";
import { allSearchable, COLLECTIONS, fillArchive, partsOf } from "./fill-archives.mjs";
import { startOutsideArchive } from "./outside-archive.mjs";
import {
  ARCHIVES,
  approveCommand,
  OUTSIDE_COMMANDS,
  PENDING_COMMAND,
  preamble,
  shell,
  uploadCommand,
} from "./reader-commands.mjs";
import { applyArchives, helmArguments, installOperator, OPERATOR_NAMESPACE } from "./release.mjs";

const CLUSTER = "archive-demo";
const NAMESPACE = "demo";
const FEDERATION = fileURLToPath(new URL("./federation.yaml", import.meta.url));
const PACKAGES = [SITE_PACKAGE, "wget", "curl", "jq", "iproute2"];

function say(text = "") {
  process.stdout.write(`${text}\n`);
}

/** Prints a command and what it prints. */
async function show(cluster, command) {
  say(`\n$ ${command}`);
  say(await shell(cluster, NAMESPACE, command));
}

/** What the steps did until here, as commands that can be repeated as they are. */
function whatWasDone(cluster, images, parts) {
  say("\nWhat was done. A shell in this folder needs these lines first, for everything below:\n");
  say(preamble(cluster, NAMESPACE));
  say(`\n# the operator\n$ helm ${helmArguments(images).join(" ")}`);
  say("\n# two archives, a peer each way, a policy: all in one file");
  say(`$ kubectl get namespace ${NAMESPACE} || kubectl create namespace ${NAMESPACE}`);
  for (const command of [`kubectl apply -f ${FEDERATION}`, ...READY_COMMANDS]) say(`$ ${command}`);
  say("\n# other parts of the manual for each; the same files again are no error");
  for (const name of ["library", "annex"])
    for (const file of parts[name]) say(`$ ${uploadCommand(ARCHIVES[name], COLLECTIONS[name], file)}`);
}

async function copied(cluster, parts) {
  say("\nThe annex copies what it misses of the library, under the policy. It now holds all of both:");
  const count = parts.library.length + parts.annex.length;
  await step("wait until the copies are searchable", () => allSearchable(cluster, NAMESPACE, "annex", count));
  await show(cluster, copiedFilesCommand());
}

async function joinFromOutside(cluster, parts) {
  say("\nA third archive, outside the cluster, knows one address of the federation:\n");
  for (const command of OUTSIDE_COMMANDS) say(`$ ${command}`);
  const outside = await startOutsideArchive(cluster, NAMESPACE);
  try {
    for (const file of parts.outside) say(`$ ${uploadCommand(ARCHIVES.outside, COLLECTIONS.outside, file)}`);
    await fillArchive(cluster, NAMESPACE, "outside", parts.outside);
    const find = () => discoveredPeer(cluster, NAMESPACE, outside.nodeId);
    let peer = "";
    await step("wait until the library has written it down as a peer to be approved", async () => {
      peer = await find();
    });
    await show(cluster, PENDING_COMMAND);
    say(`\n$ ${approveCommand(peer)}`);
    await step("approve it, and wait until the library speaks with it", () => approve(cluster, NAMESPACE, peer));
    const question = wideQuestionCommand(10);
    const isThere = (printed) => holders(printed).has(outside.nodeId.slice(0, 8));
    say(`\n$ ${question}`);
    say(await until("its pages in the answer", cluster, NAMESPACE, question, isThere));
    await show(cluster, GET_COMMAND);
  } finally {
    await outside.stop();
  }
}

function whereNext() {
  say(`
To go on by hand. The archive outside has ended with this demo; its command above starts it again.

  # how an archive, a peer and a policy are, in the objects that own them
  kubectl -n ${NAMESPACE} describe anode library
  kubectl -n ${NAMESPACE} describe fpeer annex
  kubectl -n ${NAMESPACE} describe spol manuals

  # delete a pod: it comes back with everything in it, and its peers with it
  kubectl -n ${NAMESPACE} delete pod library-0
  kubectl -n ${NAMESPACE} rollout status statefulset/library --timeout=120s

  # crawl the manual yourself, in a folder of your own (in another terminal: node test/demo/documentation-site.mjs), and upload it
  ${WGET}
  for FILE in manual-*.warc.gz; do
    ${uploadCommand(ARCHIVES.library, COLLECTIONS.library, "$FILE")}
  done

  # the operator, and every field of the three kinds
  kubectl -n ${OPERATOR_NAMESPACE} get pods
  kubectl explain federationpeer.spec

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
  const applied = { namespace: NAMESPACE, names: ["library", "annex"], file: FEDERATION, version: images.node.tag };
  await step("kubectl apply: two archives that peer, until they are ready", () => applyArchives(cluster, applied), {
    expectedMs: 30_000,
  });
  const parts = partsOf(await crawlSite());
  for (const name of ["library", "annex"]) await fillArchive(cluster, NAMESPACE, name, parts[name]);
  await step("wait until the archives speak with each other", () =>
    shell(cluster, NAMESPACE, READY_COMMANDS.join("\n")).then(() => undefined),
  );
  whatWasDone(cluster, images, parts);
  await show(cluster, GET_COMMAND);
  say("\nOne question to the library, answered by both archives:");
  for (const question of QUESTIONS) await show(cluster, questionCommand(question));
  await show(cluster, pageCommand());
  await copied(cluster, parts);
  await joinFromOutside(cluster, parts);
  whereNext();
  say(`\nDone in ${formatDuration(performance.now() - start)}.`);
  return 0;
}

await runScript(() => alone("npm run demo", main));
