/** What this version writes is read with the schemas of the last release: old and new run side by side during an upgrade. */
import { readFileSync } from "node:fs";
import type { TSchema } from "typebox";
import Value from "typebox/value";
import { expect, test } from "vitest";
import { NODE_CONFIG_SAMPLE, SAMPLE_DOCUMENTS, SAMPLE_STATUS } from "../../../test/testkit/contract-samples.ts";
import { AdminStatusSchema } from "./admin-api.ts";
import { NodeConfigSchema } from "./config-schema.ts";
import { DOCUMENTS } from "./sequenced-documents.ts";

type Released = Readonly<Record<"config" | "trust" | "federation" | "adminStatus", TSchema>>;
const released = JSON.parse(readFileSync(new URL("../../released/contract.json", import.meta.url), "utf8")) as Released;

test.each([
  ["config", NODE_CONFIG_SAMPLE, NodeConfigSchema],
  ["trust", SAMPLE_DOCUMENTS.trust, DOCUMENTS.trust.schema],
  ["federation", SAMPLE_DOCUMENTS.federation, DOCUMENTS.federation.schema],
  ["adminStatus", SAMPLE_STATUS, AdminStatusSchema],
] as const)("today's fullest %s is read by this release and by the last one", (name, sample, schema) => {
  expect(Value.Errors(schema, sample)).toEqual([]);
  expect(Value.Errors(released[name], sample)).toEqual([]);
});

test("settings of a newer operator do not stop a node of this version", () => {
  const newer = {
    ...NODE_CONFIG_SAMPLE,
    later: { deep: [1] },
    listen: { ...NODE_CONFIG_SAMPLE.listen, quic: "0.0.0.0:1" },
  };
  expect(Value.Check(NodeConfigSchema, newer)).toBe(true);
  for (const name of ["trust", "federation"] as const) {
    expect(Value.Check(DOCUMENTS[name].schema, { ...SAMPLE_DOCUMENTS[name], later: true })).toBe(true);
  }
});

test("a status without the members that came later is still a status", () => {
  expect(Value.Errors(AdminStatusSchema, SAMPLE_STATUS)).toEqual([]);
});
