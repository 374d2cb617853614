/** What becomes of the data of an ArchiveNode that is deleted: the last spec counts, however late it was written. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { startOperator } from "../testkit/operator-under-test.ts";
import { waitUntil } from "../testkit/wait-until.ts";

const WAIT = { deadlineMs: 90_000 };
/** Deletions right behind the patch, of which a race would lose some. */
const TIMES = 20;
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: "departures", deadlineMs: WAIT.deadlineMs }));
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
