/** Which objects go with an ArchiveNode that is gone, and which stay. */
import type { ArchiveNode } from "@archivestream/crds";
import { expect, test } from "vitest";
import { archiveNode } from "../../../../test/testkit/archive-node-builder.ts";
import { createFakeClock } from "../../../../test/testkit/fake-clock.ts";
import type { KubeObject } from "../../kube/objects.ts";
import { ObjectCache } from "../../runtime/cache.ts";
import { Departures } from "./departures.ts";

const KEY = { namespace: "archives", name: "alpha" };
const SIGNAL = AbortSignal.timeout(10_000);
const unexpected = (error: unknown) => expect.unreachable(String(error));

function object(name: string, ownerUid?: string): KubeObject {
  const owner = { apiVersion: "v1", kind: "ArchiveNode", name: "alpha", uid: ownerUid ?? "" };
  const metadata = { namespace: KEY.namespace, name, uid: `uid-of-${name}`, resourceVersion: "1" };
  return {
    apiVersion: "v1",
    kind: "Any",
    metadata: ownerUid === undefined ? metadata : { ...metadata, ownerReferences: [owner] },
  };
}

function setUp({ statefulSet }: { readonly statefulSet?: KubeObject } = {}) {
  const deleted: string[] = [];
  const gone: string[] = [];
  const [claims, secrets] = [new ObjectCache<KubeObject>(unexpected), new ObjectCache<KubeObject>(unexpected)];
  for (const name of ["data-alpha-0", "data-alphabet-0"]) claims.upsert(object(name));
  for (const name of ["alpha-identity", "alpha-recovery", "alpha-access"]) secrets.upsert(object(name));
  const clock = createFakeClock();
  const client = {
    get: async <T extends KubeObject>() => statefulSet as T | undefined,
    delete: async ({ key }: { readonly key: { readonly name: string } }, { uid }: { readonly uid: string }) => {
      expect(uid).toBe(`uid-of-${key.name}`);
      deleted.push(key.name);
      return "deleted" as const;
    },
  };
  const departures = new Departures({ client, claims, secrets, clock });
  const nodes = new ObjectCache<KubeObject>(unexpected);
  departures.follow(
    [{ cache: nodes }],
    ({ spec }) => spec.className !== "theirs",
    ({ name }) => gone.push(name),
  );
  const stored = (spec: ArchiveNode["spec"], resourceVersion: string) =>
    ({ ...archiveNode({ spec }), metadata: { ...archiveNode().metadata, resourceVersion } }) as unknown as KubeObject;
  return { departures, nodes, claims, clock, deleted, gone, stored };
}

const DELETE = { storage: { retention: "Delete" } } as const;
const RETAIN = { storage: { retention: "Retain" } } as const;

test.each<[what: string, before: ArchiveNode["spec"], last: ArchiveNode["spec"], goes: readonly string[]]>([
  ["Delete", DELETE, DELETE, ["data-alpha-0", "alpha-identity", "alpha-recovery"]],
  ["Delete, which no cache saw before", RETAIN, DELETE, ["data-alpha-0", "alpha-identity", "alpha-recovery"]],
  ["Retain, which no cache saw before", DELETE, RETAIN, []],
  ["nothing", {}, {}, []],
  ["Delete, to another operator", DELETE, { ...DELETE, className: "theirs" }, []],
])("the last spec says %s", async (_what, before, last, goes) => {
  const { departures, nodes, deleted, gone, stored } = setUp();
  nodes.upsert(stored(before, "1"));
  nodes.remove(stored(last, "2"));
  await departures.carryOut(KEY, SIGNAL);
  await departures.carryOut(KEY, SIGNAL);
  expect(deleted).toEqual(goes);
  expect(gone).toEqual(["alpha"]);
  expect(departures.isUnderWay(KEY)).toBe(false);
});

test("a deletion that was missed deletes nothing, for the last spec is not known", async () => {
  const { departures, nodes, deleted, gone, stored } = setUp();
  nodes.replace([stored(DELETE, "1")]);
  nodes.replace([]);
  await departures.carryOut(KEY, SIGNAL);
  expect([deleted, gone]).toEqual([[], ["alpha"]]);
});

test.each([
  ["deleted with its children left behind", object("alpha"), []],
  ["made anew, and its pods run", object("alpha", "another"), []],
  ["whose pods are being collected", object("alpha", archiveNode().metadata.uid), ["data-alpha-0"]],
])("a node %s", async (_what, statefulSet, claims) => {
  const { departures, nodes, deleted, stored } = setUp({ statefulSet });
  nodes.upsert(stored(DELETE, "1"));
  nodes.remove(stored(DELETE, "2"));
  await departures.carryOut(KEY, SIGNAL);
  expect(deleted.filter((name) => name.startsWith("data-"))).toEqual(claims);
});

test("what comes after the deletion stays, and so does everything when nobody led for long", async () => {
  const { departures, nodes, claims, clock, deleted, stored } = setUp();
  nodes.upsert(stored(DELETE, "1"));
  nodes.remove(stored(DELETE, "2"));
  claims.upsert(object("data-alpha-1"));
  expect(departures.isUnderWay(KEY)).toBe(true);
  clock.advance(600_000);
  await departures.carryOut(KEY, SIGNAL);
  expect(deleted).toEqual([]);
  nodes.upsert(stored(DELETE, "3"));
  claims.upsert({ ...object("data-alpha-2") });
  claims.remove(object("data-alpha-1"));
  nodes.remove(stored(DELETE, "4"));
  claims.upsert(object("data-alpha-1"));
  await departures.carryOut(KEY, SIGNAL);
  expect(deleted).toContain("data-alpha-2");
  expect(deleted).not.toContain("data-alpha-1");
});
