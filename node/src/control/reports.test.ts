import { expect, test } from "vitest";
import { dialled, revoked, trusted } from "../identity/document-edits.ts";
import { firstFederationDocument, firstTrustDocument } from "../identity/first-documents.ts";
import { peerRows, policyRows } from "./reports.ts";

const NOW = new Date("2026-12-01T00:00:00Z");
const ids = ["d", "c", "b", "a"].map((letter) => letter.repeat(64));
const [approved = "", blocked = "", authored = "", discovered = ""] = ids;

test("peers are those of the documents and those that were discovered, each once", () => {
  const trust = revoked(blocked)(trusted(approved)(firstTrustDocument("n", NOW)));
  const federation = dialled(approved, ["https://x"])(
    dialled(authored, ["https://y"])(firstFederationDocument("n", NOW)),
  );
  const seen = [
    { nodeId: discovered, endpoints: ["https://z"], state: "unknown", trust: "proven" },
    { nodeId: approved, endpoints: ["https://worked"], state: "alive", trust: "verified" },
  ] as const;
  const none = { state: "unknown", trust: "unknown" };
  expect(peerRows({ trust, federation }, seen)).toEqual([
    { node_id: authored, endpoint: "https://y", origin: "authored", admission: "pending", ...none },
    {
      ...{ node_id: approved, endpoint: "https://worked", origin: "authored", admission: "approved" },
      ...{ state: "alive", trust: "verified" },
    },
    { node_id: blocked, endpoint: null, origin: "authored", admission: "blocked", ...none },
    {
      ...{ node_id: discovered, endpoint: "https://z", origin: "discovered", admission: "pending" },
      ...{ state: "unknown", trust: "proven" },
    },
  ]);
});

test("policies say what their runs know, or what they name", () => {
  const run = { name: "b", peer: approved, collection: "c", wanted: 2, held: 1, missing: [] };
  const policies = [{ name: "a", peers: ids.slice(0, 2), include: ["x"] }, { name: "b" }, { name: "c" }];
  const unknown = { wanted: null, held: null, missing: [] };
  expect(policyRows(policies, [run])).toEqual([
    { name: "a", peer: approved, collection: "x", ...unknown },
    { name: "a", peer: blocked, collection: "x", ...unknown },
    run,
    { name: "c", peer: "all", collection: "*", ...unknown },
  ]);
});
