/** The kinds stay compatible with what was released, and the gate finds every incompatible change planted into them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { incompatibilities } from "./compatibility.ts";
import { KINDS, type KindName } from "./kinds.ts";
import { type CustomResourceDefinition, customResourceDefinition } from "./manifest.ts";

const released = (kind: KindName) =>
  parse(
    readFileSync(join(import.meta.dirname, "../released", `${KINDS[kind].plural}.yaml`), "utf8"),
  ) as CustomResourceDefinition;

it.each(Object.keys(KINDS) as KindName[])("%s takes every object that the released one took", (kind) => {
  expect(incompatibilities(released(kind), customResourceDefinition(KINDS[kind]))).toEqual([]);
});

/** What JSON says, without types: planting needs to write anywhere. */
// biome-ignore lint/suspicious/noExplicitAny: manifests are edited at arbitrary paths
type Loose = any;
type Plant = (version: Loose, crd: Loose) => void;

const specOf = (version: Loose): Loose => version.schema.openAPIV3Schema.properties.spec.properties;

const PLANTED: readonly (readonly [string, string, Plant])[] = [
  [".spec.suspend", "field removed", (version) => delete specOf(version).suspend],
  [".spec.storage.className", "field removed", (version) => delete specOf(version).storage.properties.className],
  [".spec.className", "maxLength tightened", (version) => (specOf(version).className.maxLength = 62)],
  [".spec.collections", "maxItems tightened", (version) => (specOf(version).collections.maxItems = 255)],
  [".spec.replicas", "maximum tightened", (version) => (specOf(version).replicas.maximum = 31)],
  [".spec.replicas", "minimum tightened", (version) => (specOf(version).replicas.minimum = 1)],
  [".spec.className", "minLength tightened", (version) => (specOf(version).className.minLength = 1)],
  [".spec.crawl", "minItems tightened", (version) => (specOf(version).crawl.minItems = 1)],
  [
    ".spec.podTemplate.nodeSelector",
    "maxProperties tightened",
    (version) => (specOf(version).podTemplate.properties.nodeSelector.maxProperties = 1),
  ],
  [
    ".spec.podTemplate.nodeSelector",
    "minProperties tightened",
    (version) => (specOf(version).podTemplate.properties.nodeSelector.minProperties = 1),
  ],
  [".spec.version", "pattern changed", (version) => (specOf(version).version.pattern = "^1$")],
  [".spec.replicas", "default changed", (version) => (specOf(version).replicas.default = 2)],
  [".spec.replicas", "format changed", (version) => (specOf(version).replicas.format = "int64")],
  [".spec.suspend", "type changed", (version) => (specOf(version).suspend.type = "string")],
  [
    ".spec.collections",
    "x-kubernetes-list-type changed",
    (version) => (specOf(version).collections["x-kubernetes-list-type"] = "atomic"),
  ],
  [
    ".spec.collections",
    "x-kubernetes-list-map-keys changed",
    (version) => specOf(version).collections["x-kubernetes-list-map-keys"].push("access"),
  ],
  [
    ".spec.capabilities",
    "x-kubernetes-list-type changed",
    (version) => (specOf(version).capabilities["x-kubernetes-list-type"] = "atomic"),
  ],
  [
    ".spec.identity.secretRef",
    "x-kubernetes-map-type changed",
    (version) => delete specOf(version).identity.properties.secretRef["x-kubernetes-map-type"],
  ],
  [
    ".spec.storage.size",
    "x-kubernetes-int-or-string changed",
    (version) => delete specOf(version).storage.properties.size["x-kubernetes-int-or-string"],
  ],
  [".spec.trust.mode", "enum value Public removed", (version) => specOf(version).trust.properties.mode.enum.shift()],
  [".spec.className", "enum added", (version) => (specOf(version).className.enum = ["a"])],
  [
    ".spec.collections[]",
    "embargo became required",
    (version) => specOf(version).collections.items.required.push("embargo"),
  ],
  [
    ".spec.tls",
    "rule added or changed: false",
    (version) => specOf(version).tls["x-kubernetes-validations"].push({ rule: "false" }),
  ],
  ["v1alpha1", "version no longer served", (version) => (version.served = false)],
  ["subresources.scale", "changed", (version) => delete version.subresources.scale],
  ["subresources.status", "changed", (version) => delete version.subresources.status],
  ["names", "changed", (_, crd) => (crd.spec.names.plural = "nodes")],
  ["names", "changed", (_, crd) => (crd.spec.scope = "Cluster")],
];

describe("planted changes", () => {
  it.each(PLANTED)("%s: %s", (path, change, plant) => {
    const next: Loose = structuredClone(customResourceDefinition(KINDS.ArchiveNode));
    plant(next.spec.versions[0], next);
    expect(incompatibilities(customResourceDefinition(KINDS.ArchiveNode), next)).toContainEqual({ path, change });
  });

  it("lets additions and wider bounds pass", () => {
    const next: Loose = structuredClone(customResourceDefinition(KINDS.ArchiveNode));
    const spec = specOf(next.spec.versions[0]);
    spec.added = { type: "string", maxLength: 1 };
    spec.className.maxLength = 64;
    spec.trust.properties.mode.enum.push("Open");
    expect(incompatibilities(customResourceDefinition(KINDS.ArchiveNode), next)).toEqual([]);
  });
});
