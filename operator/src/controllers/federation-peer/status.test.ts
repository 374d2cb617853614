/** What a peer's status says while a process that has just begun has heard of some of its nodes only. */
import { API_VERSION, type FederationPeer } from "@archivestream/crds";
import { expect, test } from "vitest";
import type { Finding } from "../peer-finding.ts";
import { resolvePeer } from "../resolved-peers.ts";
import type { PeerAtNode } from "./conditions.ts";
import { peerStatus } from "./status.ts";

const NODE_ID = "a".repeat(64);
const NOW = new Date("2026-11-24T00:00:00Z");
const report = { nodeID: NODE_ID, trust: "proven" } as const;
const CONNECTED: Finding = { state: "connected", report: { ...report, state: "alive" } };
const SILENT: Finding = { state: "unknown" };
const FAILURE = { reason: "DialFailed", message: "connection refused" } as const;
const LOST: Finding = { state: "unreachable", failure: FAILURE, report: { ...report, state: "dead" } };

const found = (findings: readonly Finding[]): PeerAtNode[] =>
  findings.map((finding, index) => ({ node: `node-${index}`, trust: "enforced", sequence: 2, finding }));

function statusOf(findings: readonly Finding[], before?: FederationPeer["status"]) {
  const object = {
    apiVersion: API_VERSION,
    kind: "FederationPeer",
    metadata: { namespace: "archives", name: "library", uid: "uid", generation: 1 },
    spec: { nodeID: NODE_ID },
    ...(before === undefined ? {} : { status: before }),
  } as FederationPeer;
  const peer = resolvePeer(object, () => undefined);
  const view = { peer, nodes: found(findings), claims: [], claimFailure: undefined, notImplemented: [], now: NOW };
  return peerStatus(view);
}

test("nodes that have said nothing since a restart count as they were, so that nothing is written", () => {
  const settled = statusOf([CONNECTED, CONNECTED, LOST]);
  expect(settled.nodes).toEqual({ matched: 3, connected: 2 });
  for (const findings of [
    [SILENT, SILENT, SILENT],
    [CONNECTED, SILENT, SILENT],
    [SILENT, CONNECTED, LOST],
  ])
    expect(statusOf(findings, settled)).toEqual(settled);
});

test("a loss counts as soon as it is sure", () => {
  const settled = statusOf([CONNECTED, CONNECTED]);
  const status = statusOf([LOST, SILENT], settled);
  expect(status.nodes).toEqual({ matched: 2, connected: 1 });
  expect(statusOf([LOST, LOST], status).conditions?.find(({ type }) => type === "Reachable")?.reason).toBe(
    "DialFailed",
  );
});
