/** Which ids a node's allow lists give it, while lists change, are lost, and are read by a process that never saw them. */
import { API_VERSION, type ArchiveNode, SECRET_TYPES } from "@archivestream/crds";
import { DOCUMENT_FILES, type TrustEntry } from "@archivestream/node/contract";
import { expect, test } from "vitest";
import { keyText, type ObjectKey, type SecretObject } from "../objects.ts";
import { AllowLists } from "./allow-lists.ts";

const NAMESPACE = "archives";
const [A, B, C] = ["a", "b", "c"].map((digit) => digit.repeat(64)) as [string, string, string];
const SIGNAL = new AbortController().signal;
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** A process with these Secrets in the cluster, which it watches. */
function setUp() {
  const secrets = new Map<string, SecretObject>();
  const reads: string[] = [];
  const version = (key: ObjectKey) => secrets.get(keyText(key))?.metadata.resourceVersion ?? "";
  const watch = { want: () => undefined, forget: () => undefined, version, isLive: () => true };
  const read = (key: ObjectKey) => {
    reads.push(key.name);
    return Promise.resolve(secrets.get(keyText(key)));
  };
  const store = (name: string, type: string, data: Readonly<Record<string, string>>) => {
    const metadata = { namespace: NAMESPACE, name, uid: name, resourceVersion: `${name} ${crypto.randomUUID()}` };
    secrets.set(keyText(metadata), { apiVersion: "v1", kind: "Secret", metadata, type, data } as SecretObject);
  };
  return {
    reads,
    lists: new AllowLists({ read, watch }),
    list: (name: string, ...ids: readonly string[]) =>
      store(name, SECRET_TYPES.allowList, { "node-ids": base64(ids.join("\n")) }),
    lose: (name: string) => secrets.delete(keyText({ namespace: NAMESPACE, name })),
    /** The trust document of a node in the cluster. */
    enforced: (node: string, ...entries: readonly TrustEntry[]) => {
      const document = { sequence: 1, issuedAt: "2026-11-24T00:00:00Z", node, mode: "Private", require: "KeyOrCA" };
      const digest = `sha256:${"0".repeat(64)}`;
      const text = JSON.stringify({ ...document, entries, revoked: [], digest });
      store(`${node}-trust`, SECRET_TYPES.trust, { [DOCUMENT_FILES.trust]: base64(text) });
    },
  };
}

function node(name: string, ...lists: readonly string[]): ArchiveNode {
  const metadata = { namespace: NAMESPACE, name, uid: name };
  const spec = { trust: { allowListRefs: lists.map((list) => ({ name: list })) } };
  return { apiVersion: API_VERSION, kind: "ArchiveNode", metadata, spec } as ArchiveNode;
}

const entry = (nodeID: string): TrustEntry => ({ nodeID, pins: [] });

test("lists add up, and are read again only when they changed", async () => {
  const { lists, list, reads } = setUp();
  list("one", A, B);
  list("two", B, C);
  const of = async () => (await lists.of(node("alpha", "one", "two"), SIGNAL)).nodeIDs;
  expect(await of()).toEqual([A, B, C]);
  list("two", C);
  expect(await of()).toEqual([A, B, C]);
  list("one", A);
  expect(await of()).toEqual([A, C]);
  expect(reads).toEqual(["one", "two", "two", "one"]);
});

test("a list that is lost keeps what it said, and says so, until it is back", async () => {
  const { lists, list, lose } = setUp();
  list("one", A);
  await lists.of(node("alpha", "one"), SIGNAL);
  lose("one");
  const lost = await lists.of(node("alpha", "one"), SIGNAL);
  expect(lost.nodeIDs).toEqual([A]);
  expect(lost.problem?.reason).toBe("SecretNotFound");
  list("one", B);
  expect(await lists.of(node("alpha", "one"), SIGNAL)).toEqual({ nodeIDs: [B], problem: undefined });
});

test("a process that never read a lost list takes it from the trust document, without ids of peers", async () => {
  const { lists, enforced } = setUp();
  enforced("alpha", entry(A), { ...entry(B), peerUID: "peer" });
  expect((await lists.of(node("alpha", "one"), SIGNAL)).nodeIDs).toEqual([A]);
});

test("an id taken out of a list goes, although another list is lost", async () => {
  const { lists, list, enforced } = setUp();
  enforced("alpha", entry(A), entry(B));
  list("kept", A);
  const alpha = node("alpha", "lost", "kept");
  expect((await lists.of(alpha, SIGNAL)).nodeIDs.toSorted()).toEqual([A, B]);
  list("kept", C);
  expect((await lists.of(alpha, SIGNAL)).nodeIDs.toSorted()).toEqual([B, C]);
});

test("what one node keeps for a lost list is not given to another that names it", async () => {
  const { lists, enforced } = setUp();
  enforced("alpha", entry(A));
  enforced("beta", entry(B));
  expect((await lists.of(node("alpha", "lost"), SIGNAL)).nodeIDs).toEqual([A]);
  expect((await lists.of(node("beta", "lost"), SIGNAL)).nodeIDs).toEqual([B]);
});
