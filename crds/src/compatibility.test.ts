/** The kinds stay compatible with what was released, and the gate finds every incompatible change planted into them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { rulesOf } from "../test/cel-evaluator.ts";
import { incompatibilities } from "./compatibility.ts";
import { KINDS, type KindName } from "./kinds.ts";
import { type CustomResourceDefinition, customResourceDefinition } from "./manifest.ts";

const released = (kind: KindName) =>
  parse(
    readFileSync(join(import.meta.dirname, "../released", `${KINDS[kind].plural}.yaml`), "utf8"),
  ) as CustomResourceDefinition;

/**
 * Rules that came later and refuse only what the release took and did not act on as it was written. An object that breaks one
 * can still be changed elsewhere: the API server checks what an update changes (CRDValidationRatcheting, Kubernetes 1.30).
 */
const LATER: ReadonlySet<string> = new Set([
  "admit-selector-expressions",
  "backup-schedule",
  "crawl-bytes-whole",
  "crawl-schedule",
  "discovery-seed-form",
  "endpoint-advertised-form",
  "ingest-schedule",
  "peer-endpoint-form",
  "peer-node-selector-expressions",
  "pod-annotations-not-ours",
  "pod-labels-not-ours",
  "policy-bandwidth-whole",
  "policy-collections-left",
  "policy-interval-range",
  "policy-max-item-size-whole",
  "policy-node-selector-expressions",
  "policy-peer-selector-expressions",
  "policy-schedule-form",
  "policy-time-zone",
  "resources-limits-whole",
  "resources-requests-whole",
  "search-timeout-range",
  "storage-size-whole",
]);

it.each(Object.keys(KINDS) as KindName[])("%s takes every object that the released one took and acted on", (kind) => {
  const later = rulesOf(kind).filter(({ rule }) => LATER.has(rule.id));
  const allowed = later.map(({ path, rule }) => `${path} rule added or changed: ${rule.rule}`);
  const found = incompatibilities(released(kind), customResourceDefinition(KINDS[kind]));
  expect(found.filter(({ path, change }) => !allowed.includes(`${path} ${change}`))).toEqual([]);
});

/** Where the fields of the spec are in a manifest. */
const SPEC = "spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
const REMOVED = undefined;

/** The keyword at `pointer` becomes `value`, or goes. */
type Edit = readonly [pointer: string, value: unknown];

/** The manifest of ArchiveNode with edits that no type would allow. */
function edited(...edits: readonly Edit[]): CustomResourceDefinition {
  const crd = structuredClone(customResourceDefinition(KINDS.ArchiveNode));
  for (const [pointer, value] of edits) {
    const steps = pointer.split("/");
    const last = steps.pop() ?? "";
    const parent = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], crd);
    if (typeof parent !== "object" || parent === null) throw new Error(`nothing at ${pointer}`);
    if (value === REMOVED) Reflect.deleteProperty(parent, last);
    else Reflect.set(parent, last, value);
  }
  return crd;
}

const PLANTED: readonly (readonly [path: string, change: string, ...Edit])[] = [
  [".spec.suspend", "field removed", `${SPEC}/suspend`, REMOVED],
  [".spec.storage.className", "field removed", `${SPEC}/storage/properties/className`, REMOVED],
  [".spec.className", "maxLength tightened", `${SPEC}/className/maxLength`, 62],
  [".spec.collections", "maxItems tightened", `${SPEC}/collections/maxItems`, 255],
  [".spec.replicas", "maximum tightened", `${SPEC}/replicas/maximum`, 31],
  [".spec.replicas", "minimum tightened", `${SPEC}/replicas/minimum`, 1],
  [".spec.className", "minLength tightened", `${SPEC}/className/minLength`, 1],
  [".spec.crawl", "minItems tightened", `${SPEC}/crawl/minItems`, 1],
  [
    ".spec.podTemplate.nodeSelector",
    "maxProperties tightened",
    `${SPEC}/podTemplate/properties/nodeSelector/maxProperties`,
    1,
  ],
  [
    ".spec.podTemplate.nodeSelector",
    "minProperties tightened",
    `${SPEC}/podTemplate/properties/nodeSelector/minProperties`,
    1,
  ],
  [".spec.version", "pattern changed", `${SPEC}/version/pattern`, "^1$"],
  [".spec.replicas", "default changed", `${SPEC}/replicas/default`, 2],
  [".spec.replicas", "format changed", `${SPEC}/replicas/format`, "int64"],
  [".spec.suspend", "type changed", `${SPEC}/suspend/type`, "string"],
  [".spec.collections", "x-kubernetes-list-type changed", `${SPEC}/collections/x-kubernetes-list-type`, "atomic"],
  [
    ".spec.collections",
    "x-kubernetes-list-map-keys changed",
    `${SPEC}/collections/x-kubernetes-list-map-keys`,
    ["name", "access"],
  ],
  [".spec.capabilities", "x-kubernetes-list-type changed", `${SPEC}/capabilities/x-kubernetes-list-type`, "atomic"],
  [
    ".spec.identity.secretRef",
    "x-kubernetes-map-type changed",
    `${SPEC}/identity/properties/secretRef/x-kubernetes-map-type`,
    REMOVED,
  ],
  [
    ".spec.storage.size",
    "x-kubernetes-int-or-string changed",
    `${SPEC}/storage/properties/size/x-kubernetes-int-or-string`,
    REMOVED,
  ],
  [".spec.trust.mode", "enum value Public removed", `${SPEC}/trust/properties/mode/enum`, ["Private"]],
  [".spec.className", "enum added", `${SPEC}/className/enum`, ["a"]],
  [
    ".spec.collections[]",
    "embargo became required",
    `${SPEC}/collections/items/required`,
    ["name", "access", "embargo"],
  ],
  [".spec.tls", "rule added or changed: false", `${SPEC}/tls/x-kubernetes-validations/1`, { rule: "false" }],
  ["v1alpha1", "version no longer served", "spec/versions/0/served", false],
  ["subresources.scale", "changed", "spec/versions/0/subresources/scale", REMOVED],
  ["subresources.status", "changed", "spec/versions/0/subresources/status", REMOVED],
  ["names", "changed", "spec/names/plural", "nodes"],
  ["names", "changed", "spec/scope", "Cluster"],
];

describe("planted changes", () => {
  it.each(PLANTED)("%s: %s", (path, change, pointer, value) => {
    const next = edited([pointer, value]);
    expect(incompatibilities(customResourceDefinition(KINDS.ArchiveNode), next)).toContainEqual({ path, change });
  });

  it("lets additions and wider bounds pass", () => {
    const next = edited(
      [`${SPEC}/added`, { type: "string", maxLength: 1 }],
      [`${SPEC}/className/maxLength`, 64],
      [`${SPEC}/trust/properties/mode/enum`, ["Public", "Private", "Open"]],
    );
    expect(incompatibilities(customResourceDefinition(KINDS.ArchiveNode), next)).toEqual([]);
  });
});
