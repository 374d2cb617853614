import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { CEL_CASES } from "../test/cel-cases.ts";
import { violatedRules } from "../test/cel-evaluator.ts";
import { ContractError } from "./errors.ts";
import { notImplementedFields } from "./implemented.ts";
import type { KindName } from "./kinds.ts";
import { parseArchiveNode, parseFederationPeer, parseSyncPolicy } from "./parse.ts";

const PARSERS = { ArchiveNode: parseArchiveNode, FederationPeer: parseFederationPeer, SyncPolicy: parseSyncPolicy };
const metadata = { name: "a", namespace: "b", uid: "c" };
const stored = (kind: string, spec: unknown, more: object = {}) => ({
  apiVersion: "archivestream.io/v1alpha1",
  kind,
  metadata,
  spec,
  ...more,
});

describe("valid objects", () => {
  it.each(Object.entries(CEL_CASES))("accepted by rule %s", (_, { kind, accepts }) => {
    for (const { spec } of accepts) expect(PARSERS[kind](stored(kind, spec)).spec).toEqual(spec);
  });

  it("keep fields that this release does not know", () => {
    const spec = { storage: { size: "1Gi", colour: "blue" }, later: true };
    expect(parseArchiveNode(stored("ArchiveNode", spec)).spec).toEqual(spec);
  });

  it("take quantities as numbers and as text", () => {
    for (const size of [1024, "1024", "1.5Gi", "1e3"]) parseArchiveNode(stored("ArchiveNode", { storage: { size } }));
  });
});

function problems(kind: KindName, value: unknown): readonly string[] {
  try {
    PARSERS[kind](value);
  } catch (error) {
    if (error instanceof ContractError) return (error as ContractError).details.problems;
    throw error;
  }
  return [];
}

describe("invalid objects", () => {
  it.each<[string, unknown, string]>([
    ["another kind", stored("SyncPolicy", {}), "/kind"],
    ["no spec", { ...stored("ArchiveNode", {}), spec: undefined }, "/spec"],
    ["too many pods", stored("ArchiveNode", { replicas: 33 }), "/spec/replicas"],
    ["a fraction of a pod", stored("ArchiveNode", { replicas: 0.5 }), "/spec/replicas"],
    ["an unknown word", stored("ArchiveNode", { trust: { mode: "Open" } }), "/spec/trust/mode"],
    ["a negative quantity", stored("ArchiveNode", { storage: { size: "-1Gi" } }), "/spec/storage/size"],
    ["a duration without unit", stored("ArchiveNode", { discovery: { ttl: "60" } }), "/spec/discovery/ttl"],
    ["a collection without access", stored("ArchiveNode", { collections: [{ name: "a" }] }), "/spec/collections/0"],
    ["a long class name", stored("ArchiveNode", { className: "a".repeat(64) }), "/spec/className"],
    [
      "a label value with a space",
      stored("ArchiveNode", { podTemplate: { nodeSelector: { a: "b c" } } }),
      "/spec/podTemplate/nodeSelector",
    ],
    ["a wrong status", stored("ArchiveNode", {}, { status: { nodeID: "x" } }), "/status/nodeID"],
  ])("%s: the path is named", (_, value, path) => {
    expect(problems("ArchiveNode", value).join("\n")).toContain(path);
  });

  it.each([null, undefined, 1, "text", [], {}])("%s is refused", (value) => {
    expect(problems("ArchiveNode", value)).not.toEqual([]);
  });
});

const samples = join(import.meta.dirname, "../samples");

describe.each(readdirSync(samples))("sample %s", (file) => {
  const text = readFileSync(join(samples, file), "utf8");
  const objects = parseAllDocuments(text).map(
    (document) => document.toJS() as { kind: KindName; metadata: { name: string }; spec: object },
  );

  it("fits the schema and breaks no rule", () => {
    expect(objects.length).toBeGreaterThan(0);
    for (const object of objects) {
      PARSERS[object.kind]({ ...object, metadata: { ...metadata, ...object.metadata } });
      expect(violatedRules(object.kind, object)).toEqual([]);
    }
  });

  it("explains itself", () => {
    expect(text.split("\n").filter((line) => line.includes("# ")).length).toBeGreaterThan(2);
  });

  it("sets nothing that an ArchiveNode cannot do yet, unless it says so", () => {
    const later = objects
      .filter(({ kind }) => kind === "ArchiveNode")
      .flatMap(({ spec }) => notImplementedFields("ArchiveNode", spec));
    expect(later.filter((path) => !text.includes(`later release: ${path}`))).toEqual([]);
  });
});
