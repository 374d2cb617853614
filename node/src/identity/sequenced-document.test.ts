import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TrustDocument, TrustDocumentSchema } from "../contract/documents.ts";
import { documentDigest } from "../contract/sequenced-documents.ts";
import { firstTrustDocument } from "./first-documents.ts";
import { DocumentHolder } from "./sequenced-document.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "document-"));
});
afterEach(() => rm(folder, { recursive: true }));

const first = firstTrustDocument("n", new Date("2026-11-24T00:00:00Z"));
const holder = () => new DocumentHolder<TrustDocument>(TrustDocumentSchema, join(folder, "trust.json"));

test("the digest is of the content alone: sequence and time of issue do not move it", () => {
  expect(documentDigest({ ...first, sequence: 9, issuedAt: "2030-01-01T00:00:00Z" })).toBe(first.digest);
  expect(documentDigest({ ...first, mode: "Public" })).not.toBe(first.digest);
});

test("whatever order documents come in, the highest sequence is held, also after a restart", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 12 }), async (sequences) => {
      await rm(join(folder, "trust.json"), { force: true });
      const one = holder();
      await Promise.allSettled(sequences.map((sequence) => one.offer({ ...first, sequence })));
      const restarted = holder();
      await restarted.load();
      expect([one.observed.sequence, restarted.observed.sequence]).toEqual([
        Math.max(...sequences),
        Math.max(...sequences),
      ]);
    }),
    { numRuns: 20 },
  );
});

test("a refused document changes nothing", async () => {
  const one = holder();
  await one.offer(first);
  const before = await readFile(join(folder, "trust.json"), "utf8");
  await expect(one.offer({ ...first, sequence: 2, mode: "Public" })).rejects.toMatchObject({
    code: "DOCUMENT_DIGEST_MISMATCH",
  });
  await expect(one.offer({ ...first, sequence: 0 })).rejects.toMatchObject({ code: "BAD_DOCUMENT" });
  await expect(one.offer(first)).rejects.toMatchObject({ code: "DOCUMENT_SEQUENCE_OLD" });
  expect(await readFile(join(folder, "trust.json"), "utf8")).toBe(before);
});

test.each([
  ["half a character", "\ud800"],
  ["a number out of range", Number.POSITIVE_INFINITY],
  ["endless nesting", JSON.parse("[".repeat(50_000) + "]".repeat(50_000))],
])("a document with %s in a field of its own is refused as such", async (_name, beyond: unknown) => {
  await expect(holder().offer({ ...first, beyond })).rejects.toMatchObject({ code: "BAD_DOCUMENT" });
});

test("an edit is the next issue with its digest, kept; one that says the same is none", async () => {
  const one = holder();
  await expect(one.edit((held) => held, new Date())).rejects.toMatchObject({ code: "BAD_DOCUMENT" });
  await one.offer(first);
  const at = new Date("2026-12-01T10:00:00.900Z");
  await Promise.all([
    one.edit((held) => ({ ...held, mode: "Public" }), at),
    one.edit((held) => ({ ...held, revoked: [...held.revoked, "a".repeat(64)] }), at),
    one.edit((held) => ({ ...held }), at),
  ]);
  const restarted = holder();
  await restarted.load();
  expect(restarted.current).toMatchObject({
    ...{ sequence: 3, issuedAt: "2026-12-01T10:00:00Z", mode: "Public", revoked: ["a".repeat(64)] },
  });
  expect(restarted.current).toEqual(one.current);
});
