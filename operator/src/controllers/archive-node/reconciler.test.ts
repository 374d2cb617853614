/** When a node is looked at again, and what is left alone; its children are fakes that answer as the API server would. */
import type { ArchiveNode, ArchiveNodeStatus } from "@archivestream/crds";
import { expect, test } from "vitest";
import { type ArchiveNodeParts, archiveNode } from "../../../../test/testkit/archive-node-builder.ts";
import { NOTHING, SETTINGS } from "../../../../test/testkit/archive-node-status.ts";
import { KubeError, type KubeErrorCode } from "../../kube/api-errors.ts";
import { TerminalError } from "../../runtime/reconciler.ts";
import { nodeFederation } from "../federation-content.ts";
import { DocumentIssuer } from "./documents.ts";
import { ArchiveNodeError } from "./errors.ts";
import { createArchiveNodeReconciler } from "./reconciler.ts";

const KEY = { namespace: "archives", name: "alpha" };
const FIVE_MINUTES_MS = 300_000;

function setUp({ refusal }: { readonly refusal?: Error } = {}) {
  const statuses: ArchiveNodeStatus[] = [];
  const applied: string[] = [];
  const issuer = new DocumentIssuer();
  let stored: ArchiveNode | undefined;
  const reconcile = createArchiveNodeReconciler({
    archiveNodes: { get: () => stored },
    observe: () => NOTHING,
    refusal: async () => undefined,
    storedDocuments: () => ({ trust: undefined, federation: undefined, trustFloor: 0, federationFloor: 0 }),
    issuer,
    peering: async (node) => {
      const neighbourhood = { peers: [], policies: [] };
      const allowed = { nodeIDs: [], problem: undefined };
      return {
        node,
        neighbourhood,
        federation: nodeFederation(node, neighbourhood, []),
        allowed,
        reports: [],
        isOverBudget: undefined,
      };
    },
    apply: async (child) => {
      if (refusal !== undefined && child.kind === "StatefulSet") throw refusal;
      applied.push(child.kind);
    },
    remove: async () => {},
    grow: async () => ({ growthRefused: undefined }),
    writeStatus: async (_node, status) => {
      statuses.push(status);
      return undefined;
    },
    clearAway: async () => {},
    forget: () => {},
    settings: SETTINGS,
    now: () => new Date("2026-11-24T00:00:00Z"),
  });
  return {
    /** Reconciles what is stored from now on; undefined: the node is gone. */
    see: (parts: ArchiveNodeParts | undefined) => {
      stored = parts === undefined ? undefined : archiveNode(parts);
      return reconcile(KEY, AbortSignal.timeout(1_000));
    },
    stalled: () => statuses.at(-1)?.conditions?.find(({ type }) => type === "Stalled"),
    trust: () => issuer.issued(archiveNode().metadata.uid)?.trust,
    applied,
  };
}

function refused(code: KubeErrorCode, message: string): KubeError {
  return new KubeError(code, { method: "PATCH", path: "/apis/apps/v1/statefulsets/alpha", message });
}

const OF_A_POLICY = 'is forbidden: ValidatingAdmissionPolicy "small" with binding "small" denied request: too large';

test.each([
  ["a missing right", refused("FORBIDDEN", "cannot patch resource"), "Forbidden"],
  ["a policy that calls the object invalid", refused("INVALID", OF_A_POLICY), "Forbidden"],
  [
    "a stranger's object",
    new ArchiveNodeError("CHILD_NOT_OWNED", { kind: "S", name: "a", owner: "b" }),
    "ChildNotOwned",
  ],
])(
  "after %s the node is looked at again in five minutes: that may end without an event",
  async (_what, refusal, reason) => {
    const { see, stalled } = setUp({ refusal });
    expect(await see({})).toBe(FIVE_MINUTES_MS);
    expect(stalled()).toMatchObject({ status: "True", reason });
  },
);

test("what the API server calls invalid is said, and then waits for another spec", async () => {
  const { see, stalled } = setUp({ refusal: refused("INVALID", "spec.template: must be smaller") });
  await expect(see({})).rejects.toThrow(TerminalError);
  expect(stalled()).toMatchObject({ status: "True", reason: "InvalidSpec" });
  expect(stalled()?.message).toContain("spec.template: must be smaller");
});

test("what no archive can be given is said before anything is written", async () => {
  const { see, stalled, applied } = setUp();
  const collections = [{ name: "news", access: "Staff" as "Public" }];
  await expect(see({ spec: { collections } })).rejects.toThrow(TerminalError);
  expect(stalled()?.message).toContain("spec.collections[0].access");
  expect(applied).toEqual([]);
});

test("a failure that may pass is passed on", async () => {
  const refusal = refused("TIMEOUT", "too slow");
  await expect(setUp({ refusal }).see({})).rejects.toBe(refusal);
});

test("while a node is suspended its documents are those that were issued before", async () => {
  const { see, trust, applied } = setUp();
  await see({});
  const [before, writes] = [trust(), applied.length];
  await see({ spec: { suspend: true, trust: { mode: "Public" } } });
  expect([trust(), applied.length]).toEqual([before, writes]);
  await see({ spec: { trust: { mode: "Public" } } });
  expect(trust()?.sequence).toBe(2);
});

test("of a node that is gone no document is kept", async () => {
  const { see, trust } = setUp();
  await see({});
  expect(trust()).toBeDefined();
  await see(undefined);
  expect(trust()).toBeUndefined();
});

test("of a node that was made anew only its own documents are kept", async () => {
  const { see, trust } = setUp();
  await see({});
  await see({ uid: "another" });
  expect(trust()).toBeUndefined();
});

test("an exclusion that would exclude nothing stops the roll-out and is named", async () => {
  const world = setUp();
  const collections = [{ name: "news", access: "Public" as const, exclude: ["https://example.org/a", "private"] }];
  await expect(world.see({ spec: { collections } })).rejects.toThrow(TerminalError);
  expect(world.stalled()).toMatchObject({ status: "True", reason: "InvalidSpec" });
  expect(world.stalled()?.message).toMatch(/spec\.collections\[0\]\.exclude\[1\]: "private" would exclude nothing/);
  expect(world.applied).toEqual([]);
});
