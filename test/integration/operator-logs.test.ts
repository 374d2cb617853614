/** What the operator's log and Events say: each change once, nothing while all is well, and what fails again and again. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { EVENTS } from "../../operator/src/runtime/event-recorder.ts";
import type { Log } from "../../operator/src/runtime/log.ts";
import { type ApiServerProxy, type LoggedRequest, startApiServerProxy } from "../testkit/api-server-proxy.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { type RunningOperator, startOperator } from "../testkit/operator-under-test.ts";
import { proxiedKubeconfig } from "../testkit/proxied-kubeconfig.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const WAIT = { deadlineMs: 60_000 };
const NAMESPACE = "logs";
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let proxy: ApiServerProxy;
let operator: RunningOperator;

type Data = Readonly<Record<string, unknown>>;
/** From `info` up. */
const lines: { readonly level: string; readonly text: string; readonly data: Data }[] = [];
const keep = (level: string) => (data: Data, text: string) => void lines.push({ level, text, data });
/** Names of what the controller of ArchiveNodes looked at. */
const looked: unknown[] = [];
const debug = ({ controller, name }: Data, text: string) => {
  if (text === "reconciled" && controller === "archive-node") looked.push(name);
};
const log: Log = { error: keep("error"), warn: keep("warn"), info: keep("info"), debug };

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: NAMESPACE }));
  proxy = cleanUp.use(await startApiServerProxy(world.server));
  const kubeconfigPath = await proxiedKubeconfig(world.server, proxy.url);
  operator = cleanUp.use(await startOperator({ ...world, log, config: { kubeconfigPath } }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const changes = () => lines.filter(({ text }) => text === "changed").map(({ data }) => data);

test("each object that is made is one line with its uid; nothing is said while nothing changes", async () => {
  await world.ready("alpha");
  const made = changes().filter(({ kind, name }) => kind === "StatefulSet" && name === "alpha");
  const uid = (await world.get<KubeObject>("StatefulSet", "alpha"))?.metadata.uid;
  expect(made).toEqual([
    { verb: "apply", kind: "StatefulSet", namespace: NAMESPACE, name: "alpha", uid, generation: 1 },
  ]);
  expect(
    changes()
      .filter(({ verb }) => verb === "create")
      .map(({ name }) => name),
  ).toContain("alpha-identity");
  expect(lines.filter(({ level }) => level !== "info")).toEqual([]);
  const said = lines.length;
  looked.length = 0;
  await operator.restart();
  await waitUntil("the restarted operator to look", () => looked.length > 0, WAIT);
  expect(lines.slice(said).filter(({ text }) => text === "changed")).toEqual([]);
});

test("what somebody changed is named by its field before it is put right", async () => {
  await world.edit("Service", "alpha", { spec: { ports: [{ name: "http", port: 8080, targetPort: 9 }] } });
  const put = () => lines.find(({ text }) => text === "somebody changed a field of ours");
  const { data } = await waitUntil("the change to be named", put, WAIT);
  expect(data).toMatchObject({ kind: "Service", namespace: NAMESPACE, name: "alpha" });
  expect(data["field"]).toMatch(/^spec\.ports/);
});

interface StoredEvent extends KubeObject {
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly name?: string };
}

test("what fails five times in a row is warned of and told in one Event", async () => {
  const isService = ({ method, path }: LoggedRequest) => method === "PATCH" && path.endsWith("/services/beta");
  proxy.addFault({ matches: isService, fault: { kind: "answer", status: 500 }, times: 7 });
  await world.ready("beta");
  const warned = lines.filter(({ level, data }) => level === "warn" && data["name"] === "beta");
  expect(warned.map(({ data }) => data["failures"])).toEqual([5, 6, 7]);
  expect(warned[0]?.data).toMatchObject({ controller: "archive-node", namespace: NAMESPACE, generation: 1 });
  const { items } = await world.admin.list<StoredEvent>(EVENTS, { namespace: NAMESPACE }, world.signal);
  const told = items.filter(({ reason }) => reason === "ReconcileFailed");
  expect(told.map(({ regarding }) => regarding.name)).toEqual(["beta"]);
  expect(told[0]?.note).toContain("/services/beta");
});
