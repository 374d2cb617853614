/** The reference page leads somewhere and hides nothing: links, samples, fields without effect, field names. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NOT_IMPLEMENTED } from "./implemented.ts";
import { KINDS, type KindName } from "./kinds.ts";
import { referencePage } from "./reference.ts";
import { type JsonSchema, walk } from "./schema/json-schema.ts";

const crds = join(import.meta.dirname, "..");
const page = referencePage();
/** Code may look like a link: `[a-z](b)`. */
const prose = page.replaceAll(/`[^`]*`/g, "");
const links = [...prose.matchAll(/\]\(([^)]+)\)/g)].map(([, target = ""]) => target);

it.each([...new Set(links)])("the link %s leads somewhere", (target) => {
  const headings = page.split("\n").filter((line) => line.startsWith("## "));
  const anchors = headings.map((line) => `#${line.slice(3).toLowerCase().replaceAll(" ", "-")}`);
  expect(target.startsWith("#") ? anchors.includes(target) : existsSync(join(crds, target)), target).toBe(true);
});

it("links every sample", () => {
  const samples = readdirSync(join(crds, "samples")).map((name) => `samples/${name}`);
  expect(links.filter((target) => target.startsWith("samples/")).toSorted()).toEqual(samples.toSorted());
});

describe.each(Object.keys(KINDS) as KindName[])("%s", (kind) => {
  const section = page.slice(page.indexOf(`\n## ${kind}\n`)).split(/\n## /)[1] ?? "";

  it("marks everything that has no effect yet", () => {
    const marked = section.split("\n").filter((line) => line.includes("*Later.*")).length;
    const fields = NOT_IMPLEMENTED[kind].filter((path) => !path.includes("="));
    expect(marked).toBe(fields.length);
    const withValues = section.split("\n").filter((line) => line.includes("*Later:*")).length;
    const valued = NOT_IMPLEMENTED[kind].filter((path) => path.includes("="));
    expect(withValues).toBe(new Set(valued.map((path) => path.replace(/=.*/, ""))).size);
  });

  it("names every field of the spec", () => {
    const paths = walk(KINDS[kind].spec as unknown as JsonSchema, "spec").map(({ path }) => path);
    const names = paths
      .filter((path) => !/elector\.|\[\*\]|\[\]$/.test(path))
      .map((path) => path.split(".").at(-1) ?? "");
    const missing = names.filter(
      (name) => name !== "spec" && !new RegExp(`^\\| \`([^\`]*\\.)?${name}\``, "m").test(section),
    );
    expect(missing).toEqual([]);
  });
});
