/** What people change on a running archive. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { startOperator } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const WAIT = { deadlineMs: 90_000 };
const NAMESPACE = "changes";
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: NAMESPACE, deadlineMs: WAIT.deadlineMs }));
  cleanUp.use(await startOperator({ server: world.server, admin: world.admin }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

interface NetworkPolicy extends KubeObject {
  readonly spec: { readonly ingress: readonly { readonly ports?: readonly object[] }[] };
}
const withFirstRule = ({ spec }: NetworkPolicy, change: (ports: readonly object[]) => object) => {
  const [open, ...rest] = spec.ingress;
  return { spec: { ingress: [{ ...open, ...change(open?.ports ?? []) }, ...rest] } };
};

test.each<[what: string, kind: "NetworkPolicy" | "ServiceAccount", edit: (now: NetworkPolicy) => object]>([
  ["a port let in", "NetworkPolicy", (now) => withFirstRule(now, (ports) => ({ ports: [...ports, { port: 22 }] }))],
  ["clients kept out", "NetworkPolicy", (now) => withFirstRule(now, () => ({ from: [{ podSelector: {} }] }))],
  ["every way out opened", "NetworkPolicy", () => ({ spec: { egress: [{}] } })],
  ["a token for the pods", "ServiceAccount", () => ({ automountServiceAccountToken: true })],
  ["a token for the pods, unsaid", "ServiceAccount", () => ({ automountServiceAccountToken: null })],
])("%s by an edit of the %s is undone", async (_what, kind, edit) => {
  await world.ready("edited");
  const before = await world.get<NetworkPolicy>(kind, "edited");
  if (before === undefined) throw new Error(`no ${kind}`);
  const content = (object: KubeObject) => JSON.stringify({ ...object, metadata: undefined });
  const target = { resource: RESOURCES[kind], key: { namespace: NAMESPACE, name: "edited" } };
  const options = { contentType: "application/merge-patch+json", fieldManager: "somebody" } as const;
  const edited = await world.admin.patch(target, edit(before), options, world.signal);
  expect(content(edited)).not.toBe(content(before));
  const isUndone = async () => content((await world.get(kind, "edited")) ?? edited) === content(before);
  await waitUntil("the edit to be undone", isUndone, WAIT);
});
