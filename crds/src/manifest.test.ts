/** What the API server must find in each manifest beside the fields: golden values, so that a loss is seen. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { generatedFiles } from "../scripts/generated-files.ts";
import { KINDS, type KindName } from "./kinds.ts";
import type { CustomResourceDefinition } from "./manifest.ts";
import { walk } from "./schema/json-schema.ts";

const root = join(import.meta.dirname, "../..");

it.each(Object.keys(generatedFiles({ release: false })))("%s is what the schemas give", (path) => {
  expect(readFileSync(join(root, path), "utf8")).toBe(generatedFiles({ release: false })[path]);
});

function manifest(kind: KindName): CustomResourceDefinition {
  const text = readFileSync(join(root, "crds", `${KINDS[kind].plural}.yaml`), "utf8");
  return parse(text) as CustomResourceDefinition;
}

const versionOf = (kind: KindName) => manifest(kind).spec.versions[0];

/** `path keyword=value` of every list and map type below spec and status. */
function mergeKeys(kind: KindName): string[] {
  const schema = versionOf(kind)?.schema.openAPIV3Schema ?? {};
  return walk(schema)
    .filter(({ path }) => !path.includes("elector.") && !path.includes("status.conditions[]"))
    .flatMap(({ path, schema: at }) => {
      const keys = at["x-kubernetes-list-map-keys"] as readonly string[] | undefined;
      const list = at["x-kubernetes-list-type"] as string | undefined;
      const shown = list === "map" ? `map by ${keys?.join()}` : list;
      return shown === undefined ? [] : [`${path} ${shown}`];
    });
}

describe.each(Object.keys(KINDS) as KindName[])("%s", (kind) => {
  it("has a status subresource and scope and names of its own", () => {
    const { spec, metadata } = manifest(kind);
    expect(metadata.name).toBe(`${KINDS[kind].plural}.archivestream.io`);
    expect(spec.scope).toBe("Namespaced");
    expect(spec.names.categories).toEqual(["archivestream"]);
    expect(spec.versions).toHaveLength(1);
    expect(versionOf(kind)?.subresources.status).toEqual({});
  });

  it("merges conditions by type", () => {
    expect(mergeKeys(kind)).toContain(".status.conditions map by type");
  });

  it("merges lists as before", () => {
    expect(mergeKeys(kind).join("\n")).toMatchSnapshot();
  });
});

it("ArchiveNode can be scaled", () => {
  expect(versionOf("ArchiveNode")?.subresources.scale).toEqual({
    specReplicasPath: ".spec.replicas",
    statusReplicasPath: ".status.replicas",
    labelSelectorPath: ".status.selector",
  });
});

it.each([
  [
    "ArchiveNode",
    ["anode"],
    ["Ready", "Replicas", "Version", "Peers", "Trust", "Age"],
    ["NodeID", "Endpoint", "CertExpiry", "Suspended", "Reason"],
  ],
  [
    "FederationPeer",
    ["fpeer"],
    ["Origin", "Admission", "Ready", "Reachable", "Connected", "Matched", "Version", "Since", "Age"],
    ["NodeID", "Suspended", "Reason"],
  ],
  [
    "SyncPolicy",
    ["spol"],
    ["Ready", "Nodes", "Peers", "Direction", "Schedule", "Interval", "LastRun", "Suspended", "Age"],
    ["Reason"],
  ],
] as const)("%s: kubectl get shows the columns promised", (kind, shortNames, always, wide) => {
  const columns = (versionOf(kind)?.additionalPrinterColumns ?? []) as { name: string; priority?: number }[];
  expect(manifest(kind).spec.names.shortNames).toEqual(shortNames);
  expect(columns.filter(({ priority }) => priority === undefined).map(({ name }) => name)).toEqual(always);
  expect(columns.filter(({ priority }) => priority === 1).map(({ name }) => name)).toEqual(wide);
});
