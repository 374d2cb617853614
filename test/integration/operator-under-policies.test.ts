/** The operator does its work while the chart's admission policies bind it, as they do where the chart is installed. */
import type { ArchiveNode } from "@archivestream/crds";
import { afterAll, beforeAll, expect, it } from "vitest";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { startApiServer } from "../cluster/api-server.ts";
import { administratorOf } from "../testkit/administrator.ts";
import { type ApiUser, apiUser } from "../testkit/api-user.ts";
import { policyPath, renderPolicies } from "../testkit/chart-policies.ts";
import { pathOf } from "../testkit/kinds-in-cluster.ts";
import {
  newNode,
  OPERATOR_NAMESPACE,
  OPERATOR_USER,
  prepareCluster,
  put,
  startOperator,
} from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const NAMESPACE = "archives";
const DEADLINE = { deadlineMs: 60_000 };
const signal = AbortSignal.timeout(600_000);
const cleanUp = new AsyncDisposableStack();
let admin: KubeClient;
/** The operator's account, used by hand. */
let account: ApiUser;

beforeAll(async () => {
  const server = await startApiServer({ controllerManager: true, signal });
  cleanUp.defer(() => server.stop());
  admin = cleanUp.use(await administratorOf(server)).client;
  await prepareCluster(admin, signal);
  await put(admin, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } }, signal);
  const person = cleanUp.use(await apiUser(server.kubeconfigPath));
  const policies = await renderPolicies(OPERATOR_NAMESPACE, [`admissionPolicies.otherOperators={${OPERATOR_USER}}`]);
  for (const policy of policies) {
    const { status, body } = await person.ask({
      method: "PATCH",
      path: `${policyPath(policy)}?fieldManager=test`,
      contentType: "application/apply-patch+yaml",
      body: policy,
    });
    expect(status, body.message).toBeLessThan(300);
  }
  account = cleanUp.use(await apiUser(await server.userKubeconfig(OPERATOR_USER, [])));
  cleanUp.use(await startOperator({ server, admin }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const stored = () =>
  admin.get<ArchiveNode & KubeObject>(RESOURCES.ArchiveNode, { namespace: NAMESPACE, name: "bound" }, signal);
const isReady = async () => {
  const { metadata, status } = (await stored()) ?? {};
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" && ready.observedGeneration === metadata?.generation;
};

it("makes a node ready, grows its volume, and may still not touch its spec", async () => {
  const growing = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "growing" } };
  const storageClass = { ...growing, provisioner: "example.test/none", allowVolumeExpansion: true };
  await put(admin, storageClass, signal);
  const node = newNode(NAMESPACE, "bound", { storage: { size: "1Gi", className: "growing" } });
  await admin.create(RESOURCES.ArchiveNode, node as ArchiveNode & KubeObject, signal);
  await waitUntil("the node to be ready", isReady, DEADLINE);

  const path = pathOf("ArchiveNode", NAMESPACE, "bound");
  const refused = await waitUntil(
    "the policies to refuse a changed spec",
    async () => {
      const answer = await account.ask({
        method: "PATCH",
        path: `${path}?dryRun=All`,
        body: { spec: { suspend: true } },
      });
      return answer.status === 403 ? answer : undefined;
    },
    DEADLINE,
  );
  expect(refused.body.message).toContain("spec belongs to whoever wrote the object");

  const target = { resource: RESOURCES.ArchiveNode, key: { namespace: NAMESPACE, name: "bound" } };
  const patch = { contentType: "application/merge-patch+json", fieldManager: "somebody" } as const;
  await admin.patch(target, { spec: { storage: { size: "2Gi" } } }, patch, signal);
  await waitUntil(
    "the volume to have grown",
    async () => (await stored())?.status?.storage?.capacity === "2Gi" && isReady(),
    DEADLINE,
  );
  expect((await stored())?.metadata.annotations).toBeUndefined();
});
