import { describe, expect, it } from "vitest";
import { NOT_IMPLEMENTED, notImplementedFields } from "./implemented.ts";
import type { KindDefinition } from "./kind.ts";
import { KINDS, type KindName } from "./kinds.ts";
import { type JsonSchema, walk } from "./schema/json-schema.ts";

describe.each(Object.keys(KINDS) as KindName[])("%s", (kind) => {
  it("lists only fields that exist", () => {
    const { spec }: KindDefinition = KINDS[kind];
    const paths = walk(spec as JsonSchema, "spec").map(({ path }) => path);
    const listed = NOT_IMPLEMENTED[kind].map((path) => path.replace(/=.*$/, ""));
    expect(paths).toEqual(expect.arrayContaining(listed));
  });

  it("names nothing for an empty spec", () => {
    expect(notImplementedFields(kind, {})).toEqual([]);
  });
});

it("names what an ArchiveNode sets, and only that", () => {
  const spec = {
    replicas: 1,
    collections: [{ name: "a", access: "Public" }],
    storage: { size: "1Gi", objectStore: { endpoint: "https://s3.example", bucket: "abc" } },
    crawl: [{ name: "c", seeds: ["https://a.example"] }],
    tls: { secretRef: { name: "t" } },
    endpoint: { service: { type: "NodePort" } },
  };
  expect(notImplementedFields("ArchiveNode", spec)).toEqual([
    "spec.crawl",
    "spec.storage.objectStore",
    "spec.tls.secretRef",
  ]);
});

it("names one field of a block whose others work", () => {
  const updateStrategy = { type: "OnDelete", minReadySeconds: 10 };
  expect(notImplementedFields("ArchiveNode", { updateStrategy })).toEqual([]);
  expect(notImplementedFields("ArchiveNode", { updateStrategy: { ...updateStrategy, maxUnavailable: 2 } })).toEqual([
    "spec.updateStrategy.maxUnavailable",
  ]);
});

it("names one value of a field whose others work", () => {
  expect(notImplementedFields("ArchiveNode", { discovery: { mode: "Propose", maxPeers: 10 } })).toEqual([]);
  const discovery = { mode: "AutoAdmit", admitSelector: { matchLabels: { a: "b" } } };
  expect(notImplementedFields("ArchiveNode", { discovery })).toEqual([
    "spec.discovery.mode=AutoAdmit",
    "spec.discovery.admitSelector",
  ]);
  expect(notImplementedFields("SyncPolicy", { direction: "Both", mode: "Enforce" })).toEqual(["spec.direction=Both"]);
});

it("does not name what asks for nothing", () => {
  expect(notImplementedFields("ArchiveNode", { crawl: [], trust: {}, search: null })).toEqual([]);
});

it.each([undefined, null, "text", 3, []])("takes %s for a spec that sets nothing", (spec) => {
  expect(notImplementedFields("ArchiveNode", spec)).toEqual([]);
});
