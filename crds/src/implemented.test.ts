import { describe, expect, it } from "vitest";
import { NOT_IMPLEMENTED, notImplementedFields } from "./implemented.ts";
import type { KindDefinition } from "./kind.ts";
import { KINDS, type KindName } from "./kinds.ts";
import { type JsonSchema, walk } from "./schema/json-schema.ts";

describe.each(Object.keys(KINDS) as KindName[])("%s", (kind) => {
  it("lists only fields that exist", () => {
    const { spec }: KindDefinition = KINDS[kind];
    const paths = walk(spec as JsonSchema, "spec").map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining([...NOT_IMPLEMENTED[kind]]));
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

it("names peers to be discovered, however many", () => {
  expect(notImplementedFields("ArchiveNode", { discovery: { maxPeers: 10 } })).toEqual(["spec.discovery"]);
});

it("does not name what asks for nothing", () => {
  expect(notImplementedFields("ArchiveNode", { crawl: [], trust: {}, search: null })).toEqual([]);
});

it("names the top-level fields where the whole spec is without effect", () => {
  expect(notImplementedFields("SyncPolicy", { nodeSelector: {}, interval: "1h" })).toEqual([
    "spec.nodeSelector",
    "spec.interval",
  ]);
});

it.each([undefined, null, "text", 3, []])("takes %s for a spec that sets nothing", (spec) => {
  expect(notImplementedFields("ArchiveNode", spec)).toEqual([]);
});
