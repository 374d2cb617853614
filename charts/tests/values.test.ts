/** values.yaml, its schema and the README name the same settings, and a wrong one is refused with its name. */
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { renderText } from "../../test/testkit/chart.ts";

type Tree = Readonly<Record<string, unknown>>;
interface Schema {
  readonly type?: string;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | object;
}

const CHART = new URL("../archive-operator/", import.meta.url);
const read = (name: string) => readFile(new URL(name, CHART), "utf8");
const schema = async () => JSON.parse(await read("values.schema.json")) as Schema;

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
}

function leaves(tree: Tree, prefix = ""): string[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    isTree(value) ? leaves(value, `${prefix}${key}.`) : [`${prefix}${key}`],
  );
}

/** Paths of the schema that end in something else than an object with named properties. */
function schemaLeaves({ properties = {} }: Schema, prefix = ""): string[] {
  return Object.entries(properties).flatMap(([key, value]) =>
    value.properties === undefined ? [`${prefix}${key}`] : schemaLeaves(value, `${prefix}${key}.`),
  );
}

it("README has a row for every value, in the same order, and no other", async () => {
  const rows = [...(await read("README.md")).matchAll(/^\| `([A-Za-z.]+)` +\| (?:`([^`]*)`)?/gm)];
  const values = parse(await read("values.yaml")) as Tree;
  expect(rows.map(([, name]) => name)).toEqual(leaves(values));
  for (const [, name = "", shown] of rows) {
    const value = name.split(".").reduce<unknown>((tree, key) => (tree as Tree)[key], values);
    if (value === "") continue; // described in words, or nothing
    const written = typeof value === "string" ? value : JSON.stringify(value);
    expect(`${name}: ${shown ?? ""}`).toBe(`${name}: ${written}`);
  }
});

it("the schema has every value, and only `global` beside them", async () => {
  const known = leaves(parse(await read("values.yaml")) as Tree);
  const described = schemaLeaves(await schema());
  // Maps of quantities are one leaf for the schema and several for the defaults.
  const covered = (name: string) => described.some((path) => name === path || name.startsWith(`${path}.`));
  expect(known.filter((name) => !covered(name))).toEqual([]);
  const used = (path: string) => known.some((name) => name === path || name.startsWith(`${path}.`));
  expect(described.filter((path) => !used(path))).toEqual(["global"]);
});

it("every object of the schema refuses keys that it does not name", async () => {
  const open: string[] = [];
  const walk = (node: Schema, path: string) => {
    if (node.properties !== undefined && node.additionalProperties !== false) open.push(path);
    for (const [key, child] of Object.entries(node.properties ?? {})) walk(child, `${path}.${key}`);
  };
  walk(await schema(), "");
  expect(open).toEqual([]);
});

it.each([
  ["metrics.secured.enabled=true", "secured"],
  ["metrics.secure.cert=x", "cert"],
  ["resources.limit.memory=1Gi", "limit"],
  ["admissionPolicies.operators={a}", "operators"],
  ["admissionPolicies.otherOperators={not allowed}", "otherOperators"],
  ["tolerations[0].keys=x", "keys"],
  ["crds.keep=maybe", "keep"],
  ["networkPolicy.apiServerPorts={https}", "apiServerPorts"],
  ["networkPolicy.apiServerPorts={70000}", "apiServerPorts"],
  ["nodeSelector.disk=5", "disk"],
])("%s is refused by name", async (value, named) => {
  const failure = String(await renderText(value).catch((error: unknown) => error));
  expect(failure).toContain("values don't meet the specifications of the schema");
  expect(failure).toContain(named);
});
