import { expect, test } from "vitest";
import type { PolicyEntry } from "../contract/documents.ts";
import { planTargets } from "./plan.ts";

const id = (letter: string) => letter.repeat(64);
const SELF = id("0");
const policy = (name: string, rest: Partial<PolicyEntry> = {}): PolicyEntry => ({ name, intervalSeconds: 10, ...rest });

function plan(policies: readonly PolicyEntry[], suspended: readonly string[] = []): readonly string[] {
  const peers = [SELF, id("a"), id("b")].map((nodeID) => ({
    ...{ nodeID, endpoints: [] },
    ...(suspended.includes(nodeID) ? { suspend: true } : {}),
  }));
  const document = { peers, policies: [...policies] };
  return planTargets({ document, nodeId: SELF, collections: ["web", "news"] }).map(
    (target) => `${target.policy.name}:${target.peer[0]}/${target.collection}${target.isNamed ? "!" : ""}`,
  );
}

test.each([
  [
    "without lists: every peer but this node, every collection",
    [policy("p")],
    ["p:a/web", "p:a/news", "p:b/web", "p:b/news"],
  ],
  ["named peers and collections", [policy("p", { peers: [id("b")], include: ["news"] })], ["p:b/news!"]],
  ["a peer that the document does not list", [policy("p", { peers: [id("c")], include: ["web"] })], ["p:c/web!"]],
  ["never this node", [policy("p", { peers: [SELF] })], []],
  ["a collection that is left out", [policy("p", { peers: [id("a")], exclude: ["web"] })], ["p:a/news"]],
  ["one that is both named and left out", [policy("p", { include: ["web"], exclude: ["web"] })], []],
  ["one that is not here", [policy("p", { include: ["elsewhere"] })], []],
  [
    "the first policy that matches has the pair",
    [policy("first", { peers: [id("a")], include: ["web"] }), policy("second", { peers: [id("a")] })],
    ["first:a/web!", "second:a/news"],
  ],
] as const)("%s", (_name, policies, expected) => {
  expect(plan(policies)).toEqual(expected);
});

test("a suspended peer is left alone, also by a policy that names it", () => {
  expect(plan([policy("p", { include: ["web"] })], [id("a")])).toEqual(["p:b/web!"]);
  expect(plan([policy("p", { peers: [id("a")] })], [id("a")])).toEqual([]);
});
