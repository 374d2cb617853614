/** A namespace with two thousand peers: what a change costs, counted in objects that are looked into, and what it brings. */
import type { ArchiveNode, FederationPeer } from "@archivestream/crds";
import { expect, test } from "vitest";
import type { KubeObject } from "../kube/objects.ts";
import { ObjectCache } from "../runtime/cache.ts";
import { Neighbourhoods } from "./neighbourhoods.ts";

const PEERS = 2_000;
const NAMESPACE = "archives";
const id = (number: number) => number.toString(16).padStart(64, "0");

type Peer = KubeObject & FederationPeer;
type Node = KubeObject & ArchiveNode;

interface PeerOptions {
  readonly generation?: number;
  readonly created?: string;
  readonly status?: object;
}

function namespace() {
  const peers = new ObjectCache<KubeObject>(() => undefined);
  const nodes = new ObjectCache<KubeObject>(() => undefined);
  const policies = new ObjectCache<KubeObject>(() => undefined);
  const caches = { ArchiveNode: nodes, FederationPeer: peers, SyncPolicy: policies };
  const neighbourhoods = new Neighbourhoods(
    {
      archiveNodes: { list: () => nodes.list() as Node[], get: (key) => nodes.get(key) as Node | undefined },
      syncPolicies: { list: () => [] },
      reflectorsOf: (kind) => [{ cache: caches[kind] }],
    },
    () => true,
  );
  const work = { specs: 0 };
  let version = 0;
  const put = (
    name: string,
    spec: object,
    { generation = 1, created = "2026-01-01T00:00:00Z", status }: PeerOptions = {},
  ) => {
    version += 1;
    const resourceVersion = String(version);
    const metadata = {
      namespace: NAMESPACE,
      name,
      uid: `uid-${name}`,
      generation,
      resourceVersion,
      creationTimestamp: created,
    };
    const object = { apiVersion: "archivestream.io/v1alpha1", kind: "FederationPeer", metadata, status };
    Object.defineProperty(object, "spec", {
      get: () => {
        work.specs += 1;
        return spec;
      },
    });
    peers.upsert(object as unknown as Peer);
  };
  const putNode = (name: string, nodeID: string) => {
    version += 1;
    const metadata = { namespace: NAMESPACE, name, uid: `uid-${name}`, resourceVersion: String(version) };
    nodes.upsert({ apiVersion: "", kind: "ArchiveNode", metadata, spec: {}, status: { nodeID } } as unknown as Node);
  };
  const gone = (name: string) => peers.remove(peers.get({ namespace: NAMESPACE, name }) as Peer);
  const shadowed = (name: string) => neighbourhoods.peer({ namespace: NAMESPACE, name })?.shadowedBy;
  return { neighbourhoods, work, put, putNode, gone, shadowed };
}

test(`of ${PEERS} peers a change, a status and a look at each cost what they concern`, () => {
  const { neighbourhoods, work, put, gone } = namespace();
  const lookAtAll = () => {
    for (let number = 0; number < PEERS; number++) neighbourhoods.peer({ namespace: NAMESPACE, name: `p${number}` });
  };
  for (let number = 0; number < PEERS; number++) put(`p${number}`, { nodeID: id(number) });
  const perPeer = work.specs / PEERS;
  expect(perPeer).toBeLessThan(10);
  const before = neighbourhoods.of(NAMESPACE);
  work.specs = 0;
  for (let number = 0; number < PEERS; number++) put(`p${number}`, { nodeID: id(number) }, { status: { number } });
  lookAtAll();
  expect(work.specs).toBe(0);
  expect(neighbourhoods.of(NAMESPACE)).toBe(before);
  expect(neighbourhoods.peer({ namespace: NAMESPACE, name: "p7" })?.object.status).toEqual({ number: 7 });
  put("p7", { nodeID: id(7), admission: "Blocked" }, { generation: 2 });
  gone("p8");
  lookAtAll();
  expect(work.specs).toBeLessThanOrEqual(perPeer);
  const { peers } = neighbourhoods.of(NAMESPACE);
  expect(peers).toHaveLength(PEERS - 1);
  expect(peers.find(({ name }) => name === "p7")?.admission).toBe("Blocked");
});

test("of several objects for one archive the first in precedence counts, and the next one when it goes", () => {
  const { put, gone, shadowed } = namespace();
  put("gp-x", { nodeID: id(1), origin: "Discovered" }, { created: "2025-01-01T00:00:00Z" });
  put("b-old", { nodeID: id(1) }, { created: "2026-01-01T00:00:00Z" });
  put("a-new", { nodeID: id(1) }, { created: "2026-01-02T00:00:00Z" });
  put("other", { nodeID: id(2) });
  const all = () => ["gp-x", "b-old", "a-new", "other"].map(shadowed);
  expect(all()).toEqual(["b-old", undefined, "b-old", undefined]);
  gone("b-old");
  expect(all()).toEqual(["a-new", undefined, undefined, undefined]);
  gone("a-new");
  expect(all()).toEqual([undefined, undefined, undefined, undefined]);
});

test("one that this release cannot act on shadows nobody", () => {
  const { put, shadowed } = namespace();
  put("a", { nodeID: id(1), trust: { minVersion: "9.9.9" } });
  put("b", { nodeID: id(1) });
  expect(["a", "b"].map(shadowed)).toEqual([undefined, undefined]);
});

test("a peer that stands for an ArchiveNode follows its key, and joins or leaves those of the same archive", () => {
  const { neighbourhoods, put, putNode, shadowed } = namespace();
  put("ref", { nodeRef: { name: "beta" } });
  put("copy", { nodeID: id(5) }, { created: "2026-01-02T00:00:00Z" });
  const ref = () => neighbourhoods.peer({ namespace: NAMESPACE, name: "ref" });
  expect(ref()).toMatchObject({ nodeID: undefined, refused: { reason: "NodeNotFound" } });
  putNode("beta", id(4));
  expect(ref()).toMatchObject({ nodeID: id(4), refused: undefined });
  putNode("beta", id(5));
  expect(shadowed("copy")).toBe("ref");
  putNode("beta", id(6));
  expect([ref()?.nodeID, shadowed("copy")]).toEqual([id(6), undefined]);
});
