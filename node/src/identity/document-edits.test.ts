import fc from "fast-check";
import { expect, test } from "vitest";
import { dialled, forgotten, revoked, suspended, trusted, untrusted } from "./document-edits.ts";
import { firstFederationDocument, firstTrustDocument } from "./first-documents.ts";

const NOW = new Date("2026-12-01T00:00:00Z");
const TRUST = firstTrustDocument("n", NOW);
const FEDERATION = firstFederationDocument("n", NOW);
const [A, B] = ["a".repeat(64), "b".repeat(64)];
const EDITS = { trusted, revoked, untrusted };

test("whatever is done to peers, none is trusted and revoked at once, and the last word on each counts", () => {
  const steps = fc.array(fc.tuple(fc.constantFrom("trusted", "revoked", "untrusted"), fc.constantFrom(A, B)));
  fc.assert(
    fc.property(steps, (done) => {
      const document = done.reduce((held, [name, id]) => EDITS[name](id)(held), TRUST);
      for (const id of [A, B]) {
        const last = done.findLast(([, of]) => of === id)?.[0];
        expect(document.entries.filter(({ nodeID }) => nodeID === id)).toHaveLength(last === "trusted" ? 1 : 0);
        expect(document.revoked.filter((nodeID) => nodeID === id)).toHaveLength(last === "revoked" ? 1 : 0);
      }
    }),
  );
});

test("the address given last is dialled first, and settings of an entry stay", () => {
  const [one, two] = ["https://one.example", "https://two.example"];
  const held = { ...FEDERATION, peers: [{ nodeID: A, endpoints: [one], weight: 7, suspend: true }] };
  expect(dialled(A, [two])(held).peers).toEqual([{ nodeID: A, endpoints: [two, one], weight: 7 }]);
  expect(dialled(A, [one])(dialled(B, [two])(held)).peers.map(({ nodeID }) => nodeID)).toEqual([A, B]);
});

test("a blocked peer keeps its addresses, a removed one nothing, and one that is unknown is not added", () => {
  const held = dialled(A, ["https://one.example"])(FEDERATION);
  expect(suspended(A)(held).peers).toEqual([{ nodeID: A, endpoints: ["https://one.example"], suspend: true }]);
  expect(suspended(B)(held)).toBe(held);
  expect(forgotten(A)(held).peers).toEqual([]);
});
