/** Digests of documents: by meaning, not by order; and the same whether remembered or not. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DigestMemory, documentDigest } from "./digest.ts";

test("the order of keys does not count, the order of lists does", () => {
  expect(documentDigest({ a: 1, b: [1, 2] })).toBe(documentDigest({ b: [1, 2], a: 1 }));
  expect(documentDigest({ b: [1, 2] })).not.toBe(documentDigest({ b: [2, 1] }));
});

test("a remembered digest is the one that would be computed, whatever came before", () => {
  const ids = fc.constantFrom("a", "b", "c", "d");
  fc.assert(
    fc.property(fc.array(fc.tuple(ids, fc.jsonValue())), (documents) => {
      const memory = new DigestMemory(2);
      for (const [id, value] of documents) {
        expect(memory.digestOf(id, value)).toBe(documentDigest(value));
        expect(memory.digestOf(id, structuredClone(value))).toBe(documentDigest(value));
      }
    }),
  );
});
