/** What becomes of the data of an ArchiveNode that is deleted: the last spec counts, however late it was written. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { startOperator } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const NAMESPACE = "departures";
const WAIT = { deadlineMs: 90_000 };
/** Deletions right behind the patch, of which a race would lose some. */
const TIMES = 20;
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: NAMESPACE, deadlineMs: WAIT.deadlineMs }));
  cleanUp.use(await startOperator({ server: world.server, admin: world.admin }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

const claim = (node: string) => world.get("PersistentVolumeClaim", `data-${node}-0`);
const identity = (node: string) => world.get("Secret", `${node}-identity`);
const isGone = (what: string, get: () => Promise<KubeObject | undefined>) =>
  waitUntil(`${what} to be gone`, async () => (await get()) === undefined, WAIT);
const retention = (wanted: "Retain" | "Delete") => ({ spec: { storage: { retention: wanted } } });

async function made(name: string, wanted: "Retain" | "Delete") {
  await world.create(name, retention(wanted).spec);
  await world.until(name, "Ready", "True");
  return { claim: (await claim(name))?.metadata.uid, identity: (await identity(name))?.metadata.uid };
}

/** The StatefulSet and the pods have gone, and with them whatever goes with them. */
async function cleared(name: string) {
  await isGone(`StatefulSet ${name}`, () => world.get("StatefulSet", name));
  await isGone(`pod ${name}-0`, () => world.get("Pod", `${name}-0`));
}

test(`Retain that is set right before the deletion keeps volume and identity, ${TIMES} times`, async () => {
  const names = Array.from({ length: TIMES }, (_, index) => `kept-${index}`);
  const before = await Promise.all(names.map((name) => made(name, "Delete")));
  for (const name of names) {
    await world.edit("ArchiveNode", name, retention("Retain"));
    await world.remove("ArchiveNode", name);
  }
  await Promise.all(names.map(cleared));
  const after = await Promise.all(names.map(async (name) => [await claim(name), await identity(name)]));
  expect(after.map((kept) => kept.map((one) => one?.metadata.uid))).toEqual(
    before.map((one) => [one.claim, one.identity]),
  );
  expect(after.flat().map((one) => one?.metadata.deletionTimestamp)).toEqual(after.flat().map(() => undefined));
});

test("Delete that is set right before the deletion deletes volume and identity", async () => {
  await made("late", "Retain");
  await world.edit("ArchiveNode", "late", retention("Delete"));
  await world.remove("ArchiveNode", "late");
  await isGone("the claim", () => claim("late"));
  await isGone("the identity", () => identity("late"));
});

test("a node that is made anew at once has a volume and an identity of its own, and its edits are not held back", async () => {
  const uids: (string | undefined)[] = [];
  for (let round = 0; round < 3; round += 1) {
    const one = await made("anew", "Delete");
    uids.push(one.claim, one.identity);
    await world.remove("ArchiveNode", "anew");
  }
  expect(new Set(uids).size).toBe(6);
  const last = await made("anew", "Delete");
  await world.edit("ArchiveNode", "anew", retention("Retain"));
  await world.remove("ArchiveNode", "anew");
  await cleared("anew");
  expect((await claim("anew"))?.metadata).toMatchObject({ uid: last.claim });
  expect((await claim("anew"))?.metadata.deletionTimestamp).toBeUndefined();
});

const API_VERSIONS = {
  ...{ StatefulSet: "apps/v1", NetworkPolicy: "networking.k8s.io/v1" },
  ...{ Service: "v1", ConfigMap: "v1", Secret: "v1", ServiceAccount: "v1" },
} as const;
const CHILDREN = Object.keys(API_VERSIONS) as readonly (keyof typeof API_VERSIONS)[];
const childrenOf = async (name: string) => {
  const labelSelector = `archivestream.io/node=${name}`;
  const lists = CHILDREN.map(async (kind) => {
    const { items } = await world.admin.list(RESOURCES[kind], { namespace: NAMESPACE, labelSelector }, world.signal);
    return items.map((object) => ({ kind, object }));
  });
  return (await Promise.all(lists)).flat();
};

/** As Velero restores: same names, labels and content, no owner, no status, new UIDs. */
function restored({ metadata, ...object }: KubeObject): KubeObject {
  const { name, namespace, labels, annotations } = metadata;
  const { status: _status, ...content } = object as Record<string, unknown>;
  const spec = content["spec"] as Record<string, unknown> | undefined;
  const { clusterIP, clusterIPs: _ips, ...others } = spec ?? {};
  const kept = clusterIP === "None" ? { ...others, clusterIP } : others;
  const own = { name, namespace, labels, annotations } as KubeObject["metadata"];
  return { ...(content as unknown as KubeObject), metadata: own, ...(spec === undefined ? {} : { spec: kept }) };
}

test("what a backup tool restores is taken up at once, and leaves with its owner again", async () => {
  await made("saved", "Retain");
  const saved = await childrenOf("saved");
  await world.remove("ArchiveNode", "saved");
  await cleared("saved");
  for (const { kind, object } of saved.filter(({ object: { metadata } }) =>
    /-(identity|recovery)$/.test(metadata.name),
  ))
    await world.remove(kind, object.metadata.name);
  await waitUntil("all children to be gone", async () => (await childrenOf("saved")).length === 0, WAIT);
  for (const { kind, object } of saved) {
    const apiVersion = API_VERSIONS[kind];
    await world.admin.create(RESOURCES[kind], restored({ ...object, kind, apiVersion }), world.signal);
  }
  await world.create("saved", retention("Retain").spec);
  await world.until("saved", "Ready", "True");
  const uid = (await world.node("saved"))?.metadata.uid;
  const kept = ["saved-identity", "saved-recovery"];
  const owners = async () =>
    (await childrenOf("saved"))
      .filter(({ object: { metadata } }) => !kept.includes(metadata.name))
      .flatMap(({ object: { metadata } }) =>
        metadata.ownerReferences?.some((owner) => owner.uid === uid) === true ? [] : [metadata.name],
      );
  await waitUntil("every child to have its owner", async () => (await owners()).length === 0, WAIT);
  await world.remove("ArchiveNode", "saved");
  await waitUntil(
    "all but the identity to leave",
    async () => (await childrenOf("saved")).every(({ object }) => kept.includes(object.metadata.name)),
    WAIT,
  );
});
