/**
 * The whole way in a real cluster: chart, operator, ArchiveNode, pod, upload, search, a lost pod, uninstalling.
 * The tests build on each other, in order. Namespaces enforce the Pod Security level `restricted`.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyArchives, installOperator, OPERATOR_NAMESPACE, RELEASE } from "../demo/release.mjs";
import {
  CRDS,
  type E2eCluster,
  e2eCluster,
  helm,
  kubectl,
  provideRestrictedNamespace,
  removeOperator,
} from "../testkit/e2e-cluster.ts";
import { type TempDir, tempDir } from "../testkit/temp-dir.ts";
import { waitUntil } from "../testkit/wait-until.ts";
import { gzipEach, pageRecord, warcinfo } from "../testkit/warc-builder.ts";

const NAMESPACE = "archive-e2e";
const NAME = "shelf";
const COLLECTION = "letters";
const MANIFEST = `
apiVersion: archivestream.io/v1alpha1
kind: ArchiveNode
metadata:
  name: ${NAME}
spec:
  storage:
    size: 1Gi
  collections:
    - name: ${COLLECTION}
      access: Public
  endpoint:
    service:
      type: NodePort
`;

const page = (title: string, text: string) => `<html><title>${title}</title><body><p>${text}</p></body></html>`;
const WARC = gzipEach([
  warcinfo(),
  pageRecord("http://letters.example/1", page("First letter", "The lighthouse keeper writes about fog.")),
  pageRecord("http://letters.example/2", page("Second letter", "A boat came with oranges.")),
]);

interface SearchReply {
  readonly total: number;
  readonly hits: readonly { readonly url: string; readonly title: string; readonly collection: string }[];
}

let cluster: E2eCluster;
let folder: TempDir;
let uploaded: string;

const inNamespace = (...args: string[]) => kubectl(cluster, ["-n", NAMESPACE, ...args]);
const jsonpath = (object: string, path: string) => inNamespace("get", ...object.split(" "), "-o", `jsonpath=${path}`);

/** Address of the archive's Service from outside the cluster. */
async function archiveUrl(): Promise<string> {
  const address = `{.items[0].status.addresses[?(@.type=="InternalIP")].address}`;
  const host = await kubectl(cluster, ["get", "node", "-o", `jsonpath=${address}`]);
  const port = await jsonpath(`service ${NAME}`, `{.spec.ports[?(@.name=="web")].nodePort}`);
  return `http://${host}:${port}`;
}

async function search(question: string): Promise<SearchReply> {
  const answer = await fetch(`${await archiveUrl()}/api/v1/search?q=${encodeURIComponent(question)}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as SearchReply;
}

const findsTheLetter = () =>
  waitUntil(
    "the search to find the letter",
    async () => {
      const reply = await search("lighthouse fog");
      return reply.total > 0 && reply;
    },
    { deadlineMs: 60_000, everyMs: 250 },
  );

beforeAll(async () => {
  folder = await tempDir("e2e");
  cluster = await e2eCluster();
  await removeOperator(cluster, NAMESPACE);
  await provideRestrictedNamespace(cluster, OPERATOR_NAMESPACE);
  await provideRestrictedNamespace(cluster, NAMESPACE);
});

afterAll(async () => {
  await folder.remove();
  await removeOperator(cluster, NAMESPACE);
});

test("helm installs the operator with two pods, and the three kinds", async () => {
  expect(await installOperator(cluster, cluster.images)).toBe("2 of 2 pods available");
  await kubectl(cluster, ["wait", "--for=condition=Established", "crd", ...CRDS, "--timeout=30s"]);
  const holder = await kubectl(cluster, ["-n", OPERATOR_NAMESPACE, "get", "lease", "-o", "name"]);
  expect(holder.split("\n")).toHaveLength(1);
});

test("an applied ArchiveNode becomes Ready", async () => {
  const file = join(folder.path, "shelf.yaml");
  await writeFile(file, MANIFEST);
  await applyArchives(cluster, { namespace: NAMESPACE, names: [NAME], file });
  expect(await jsonpath(`pod ${NAME}-0`, "{.status.phase}")).toBe("Running");
});

test("kubectl answers the first questions: columns, conditions, Events", async () => {
  const [head = "", row = ""] = (await inNamespace("get", "archivenode", NAME)).split("\n");
  expect(head.split(/\s+/)).toEqual(["NAME", "READY", "REPLICAS", "VERSION", "PEERS", "TRUST", "AGE"]);
  expect(row).toMatch(new RegExp(`^${NAME} +True +1 `));
  expect(await inNamespace("get", "archivenode", NAME, "-o", "wide")).toMatch(/[0-9a-f]{64} +https:\/\//);
  const described = () => inNamespace("describe", "archivenode", NAME);
  expect(await described()).toContain("every claim is bound");
  // An Event is written after the status that it tells of.
  const isTold = async () => /Normal +Ready/.test(await described());
  await waitUntil("the Event that the node is ready", isTold, { deadlineMs: 30_000, everyMs: 250 });
});

test("a WARC uploaded through the Service is found by a search", async () => {
  // The node is ready as soon as its pod is; the Service leads there a moment later.
  const isEmpty = async () => (await search("lighthouse fog")).total === 0;
  await waitUntil("the Service to lead to the pod", isEmpty, { deadlineMs: 60_000, everyMs: 250 });
  const token = Buffer.from(await jsonpath(`secret ${NAME}-access`, "{.data.token}"), "base64").toString();
  const answer = await fetch(`${await archiveUrl()}/api/v1/collections/${COLLECTION}/warcs?filename=letters.warc.gz`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/gzip" },
    body: WARC,
  });
  const receipt = (await answer.json()) as { hash: string; captures: number };
  expect([answer.status, receipt.captures]).toEqual([201, 2]);
  uploaded = receipt.hash;
  const { hits } = await findsTheLetter();
  expect(hits[0]).toMatchObject({ url: "http://letters.example/1", title: "First letter", collection: COLLECTION });
});

test("a deleted pod comes back with everything in it", async () => {
  const identity = await jsonpath(`archivenode ${NAME}`, "{.status.nodeID}");
  const before = await jsonpath(`pod ${NAME}-0`, "{.metadata.uid}");
  await inNamespace("delete", "pod", `${NAME}-0`);
  await waitUntil(
    "another pod that is ready",
    async () => {
      const path = `{.metadata.uid} {.status.conditions[?(@.type=="Ready")].status}`;
      const [uid, ready] = (await jsonpath(`pod ${NAME}-0`, path)).split(" ");
      return uid !== before && ready === "True";
    },
    { deadlineMs: 120_000, everyMs: 500 },
  );
  expect((await findsTheLetter()).total).toBe(1);
  const content = await fetch(`${await archiveUrl()}/api/v1/collections/${COLLECTION}/warcs/${uploaded}/content`);
  expect(Buffer.from(await content.arrayBuffer()).equals(WARC)).toBe(true);
  await inNamespace("wait", `archivenode/${NAME}`, "--for=condition=Ready", "--timeout=60s");
  expect(await jsonpath(`archivenode ${NAME}`, "{.status.nodeID}")).toBe(identity);
});

test("a drained machine takes the archive's pod at once and the operator's one by one; what the machine gives back is whole", async () => {
  const operatorPods = "app.kubernetes.io/name=archive-operator";
  const machine = await kubectl(cluster, ["get", "node", "-o", "jsonpath={.items[0].metadata.name}"]);
  const drain = (selector: string, seconds: number) =>
    kubectl(cluster, [
      ...["drain", machine, "--ignore-daemonsets", "--delete-emptydir-data"],
      ...[`--pod-selector=${selector}`, `--timeout=${seconds}s`],
    ]);
  const available = async () =>
    kubectl(cluster, [
      ...["-n", OPERATOR_NAMESPACE, "get", "deployment", RELEASE],
      ...["-o", "jsonpath={.status.availableReplicas}"],
    ]);
  const identity = await jsonpath(`archivenode ${NAME}`, "{.status.nodeID}");
  try {
    // A node of one pod has no budget: it could only block the machine's maintenance.
    await drain(`archivestream.io/node=${NAME}`, 90);
    await waitUntil(
      "the node to say why it is not available",
      async () => {
        const path = `{.status.conditions[?(@.type=="Available")].message}`;
        return (await jsonpath(`archivenode ${NAME}`, path)).includes("unschedulable");
      },
      { deadlineMs: 60_000, everyMs: 500 },
    );
    // There is no second machine for a successor, so the budget keeps the last operator where it is.
    await expect(drain(operatorPods, 15)).rejects.toThrow(/violate the pod's disruption budget|timeout/);
    expect(await available()).toBe("1");
  } finally {
    await kubectl(cluster, ["uncordon", machine]);
  }
  await inNamespace("wait", `archivenode/${NAME}`, "--for=condition=Ready", "--timeout=120s");
  await waitUntil("both operators to be back", async () => (await available()) === "2", { deadlineMs: 120_000 });
  expect(await jsonpath(`archivenode ${NAME}`, "{.status.nodeID}")).toBe(identity);
  expect((await findsTheLetter()).total).toBe(1);
});

test("helm test makes an archive, sees it Ready, and leaves nothing of it", async () => {
  await helm(cluster, ["test", RELEASE, "-n", OPERATOR_NAMESPACE, "--timeout", "5m"]);
  const left = ["-n", OPERATOR_NAMESPACE, "get", "archivenode,pod,serviceaccount", "-o", "name"];
  await waitUntil("nothing to be left", async () => !(await kubectl(cluster, left)).includes("test"), {
    deadlineMs: 60_000,
  });
});

test("helm uninstall leaves the archive running; deleting that leaves its volume, its identity and the key to recover that, as retention says", async () => {
  await helm(cluster, ["uninstall", RELEASE, "-n", OPERATOR_NAMESPACE, "--wait"]);
  const pods = ["pod", "-l", "app.kubernetes.io/name=archive-operator"];
  await kubectl(cluster, ["-n", OPERATOR_NAMESPACE, "wait", "--for=delete", ...pods, "--timeout=60s"]);
  expect((await findsTheLetter()).total).toBe(1);
  await inNamespace("delete", "archivenode", NAME, "--timeout=60s");
  const kinds = "statefulset,pod,service,secret,configmap,persistentvolumeclaim";
  await waitUntil(
    "the garbage collector to remove all else",
    async () => {
      const left = await inNamespace("get", kinds, "-l", `archivestream.io/node=${NAME}`, "-o", "name");
      const names = left.split("\n").sort().join(" ");
      if (names === `persistentvolumeclaim/data-${NAME}-0 secret/${NAME}-identity secret/${NAME}-recovery`) return true;
      throw new Error(`there are ${names}`);
    },
    { deadlineMs: 120_000, everyMs: 500 },
  );
});
