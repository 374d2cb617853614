/** What a policy's status says of its nodes while a process that has just begun knows only some of them. */
import type { SyncPolicyStatus } from "@archivestream/crds";
import { expect, test } from "vitest";
import { byProblem, storedTargets, targetOf } from "./targets.ts";
import type { PolicyAtNode } from "./view.ts";

/** A node whose document has the policy since before this process, and whose pods have said nothing of runs yet. */
function silent(node: string, known: Partial<PolicyAtNode> = {}): PolicyAtNode {
  return { node, pairs: 1, sequence: undefined, observed: 4, isIssued: false, runs: [], ...known };
}

const shown = (node: string): NonNullable<SyncPolicyStatus["targets"]>[number] => ({
  node,
  sequence: 4,
  observed: 4,
  state: "Synced",
});

test("a restart changes neither the nodes that are shown nor those that found no room", () => {
  const before = storedTargets({ targets: [shown("a"), shown("b")], targetsOmitted: 1 });
  for (const known of [{}, { isIssued: true, sequence: 0 }]) {
    const targets = ["c", "b", "a"].map((node) => targetOf(silent(node, known), before(node))).sort(byProblem);
    expect(targets).toEqual([shown("a"), shown("b"), shown("c")]);
  }
});

test("what a pod says counts more than what was assumed", () => {
  const before = storedTargets({ targets: [shown("a")], targetsOmitted: 1 });
  const run = { peer: "1".repeat(64), collection: "default", state: "Failed" } as const;
  expect(targetOf(silent("b", { runs: [run] }), before("b")).state).toBe("Failed");
});

test("a node that has just been matched has not taken the policy", () => {
  const before = storedTargets({ targets: [shown("a")], targetsOmitted: 0 });
  expect(targetOf(silent("b", { isIssued: true }), before("b"))).toEqual({ node: "b" });
  expect(targetOf(silent("b", { isIssued: true, sequence: 5 }), before("b"))).toEqual({
    node: "b",
    sequence: 5,
    observed: 4,
  });
});
