/**
 * The demo's story in a real cluster, with an operator that is down and a pod that is killed in the middle of it: two archives
 * that know, search and copy each other, and a third from outside that is approved. The tests build on each other, in order.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { crawlSite } from "../demo/crawl.mjs";
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
} from "../demo/federation-story.mjs";
import { allSearchable, fillArchive, partsOf } from "../demo/fill-archives.mjs";
import { startOutsideArchive } from "../demo/outside-archive.mjs";
import { shell } from "../demo/reader-commands.mjs";
import { applyArchives, installOperator, OPERATOR_NAMESPACE, RELEASE } from "../demo/release.mjs";
import {
  type E2eCluster,
  e2eCluster,
  kubectl,
  provideRestrictedNamespace,
  removeOperator,
} from "../testkit/e2e-cluster.ts";
import { type TempDir, tempDir } from "../testkit/temp-dir.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const NAMESPACE = "archive-e2e";
const SHORT_ID = 8;

let cluster: E2eCluster;
let reader: { readonly env: Record<string, string>; readonly kubeconfig: string };
let folder: TempDir;
let parts: ReturnType<typeof partsOf>;

const run = (command: string): Promise<string> => shell(reader, NAMESPACE, command);
const field = (object: string, path: string) => run(`kubectl -n $NAMESPACE get ${object} -o jsonpath='${path}'`);
const idOf = async (name: string) => (await field(`anode/${name}`, "{.status.nodeID}")).slice(0, SHORT_ID);
const deploymentArgs = ["-n", OPERATOR_NAMESPACE, "deployment", RELEASE];

beforeAll(async () => {
  folder = await tempDir("e2e-federation");
  cluster = await e2eCluster();
  reader = { env: cluster.env, kubeconfig: String(cluster.env["KUBECONFIG"]) };
  await removeOperator(cluster, NAMESPACE);
  await provideRestrictedNamespace(cluster, OPERATOR_NAMESPACE);
  await provideRestrictedNamespace(cluster, NAMESPACE);
  await installOperator(cluster, cluster.images);
  parts = partsOf(await crawlSite());
});

afterAll(async () => {
  await folder.remove();
  await removeOperator(cluster, NAMESPACE);
});

test("one file makes two archives that speak with each other", async () => {
  const file = join(folder.path, "federation.yaml");
  const text = await readFile(new URL("../demo/federation.yaml", import.meta.url), "utf8");
  await writeFile(file, text.replaceAll("namespace: demo", `namespace: ${NAMESPACE}`));
  await applyArchives(cluster, { namespace: NAMESPACE, names: ["library", "annex"], file });
  for (const command of READY_COMMANDS) await run(command);
  const shown = await run(GET_COMMAND);
  expect(shown).toMatch(/fpeer|federationpeer/);
  expect(shown).toMatch(/syncpolicy.*\/manuals +True +1 +1 /);
});

test("a question to one archive is answered by both", async () => {
  for (const name of ["library", "annex"] as const) await fillArchive(reader, NAMESPACE, name, parts[name]);
  const both = [await idOf("library"), await idOf("annex")];
  const command = questionCommand(QUESTIONS[0] ?? "");
  const answer = await until("hits of both archives", reader, NAMESPACE, command, (printed: string) =>
    both.every((id) => holders(printed).has(id)),
  );
  expect(answer).toMatch(/^[1-9]\d* pages in \d+ ms; 1 of 1 peers answered$/m);
  for (const question of QUESTIONS) {
    const [head = "", ...hits] = (await run(questionCommand(question))).split("\n");
    expect(head).toMatch(/^[1-9]\d* pages in \d+ ms; 1 of 1 peers answered$/);
    expect(hits).toHaveLength(9); // a title, an address and the holders for each of three
  }
  expect(await run(pageCommand())).toContain("sql-vacuum.html");
});

test("the policy goes on while the operator is down and the copying pod is killed", async () => {
  await kubectl(cluster, ["scale", ...deploymentArgs, "--replicas=0"]);
  await run("kubectl -n $NAMESPACE delete pod annex-0 --grace-period=0 --force");
  await run("kubectl -n $NAMESPACE rollout status statefulset/annex --timeout=120s");
  await allSearchable(reader, NAMESPACE, "annex", parts.library.length + parts.annex.length);
  const names = (await run(copiedFilesCommand())).split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "");
  const wanted = [...parts.library, ...parts.annex].map((path) => path.split("/").at(-1) ?? "");
  expect(new Set(names)).toEqual(new Set(wanted));
  await kubectl(cluster, ["scale", ...deploymentArgs, "--replicas=2"]);
  await kubectl(cluster, ["rollout", "status", `deployment/${RELEASE}`, "-n", OPERATOR_NAMESPACE, "--timeout=120s"]);
  for (const command of READY_COMMANDS) await run(command);
});

test("an archive outside the cluster is written down, approved by a patch, and asked", async () => {
  const outside = await startOutsideArchive(reader, NAMESPACE);
  try {
    await fillArchive(reader, NAMESPACE, "outside", parts.outside);
    const peer = String(await discoveredPeer(reader, NAMESPACE, outside.nodeId));
    const object = `fpeer/${peer}`;
    expect(await field(object, "{.spec.origin}")).toBe("Discovered");
    expect(await field(object, `{.status.conditions[?(@.type=="Ready")].reason}`)).toBe("AdmissionPending");
    await approve(reader, NAMESPACE, peer);
    const question = wideQuestionCommand(100);
    await until("pages of the archive outside", reader, NAMESPACE, question, (printed: string) =>
      holders(printed).has(outside.nodeId.slice(0, SHORT_ID)),
    );
    await run(`kubectl -n $NAMESPACE patch ${object} --type=merge -p '{"spec":{"admission":"Blocked"}}'`);
    await until("no page of a blocked archive", reader, NAMESPACE, question, (printed: string) => {
      return !holders(printed).has(outside.nodeId.slice(0, SHORT_ID));
    });
  } finally {
    await outside.stop();
  }
});

test("an archive that is stopped is named by the peer that misses it", async () => {
  await run("kubectl -n $NAMESPACE scale anode/annex --replicas=0");
  await waitUntil(
    "the peer to be not reachable",
    async () => (await field("fpeer/annex", `{.status.conditions[?(@.type=="Reachable")].status}`)) !== "True",
    { deadlineMs: 180_000, everyMs: 1_000 },
  );
  const answer = await run(questionCommand(QUESTIONS[0] ?? ""));
  expect(answer).toMatch(/; 0 of \d+ peers answered$/m);
});
