/** Both ways through the rules of FederationPeer, by the rule's id. */
import { ADDRESSES, type CelCase, ID, type RuleCases, ref, type Spec, selectors, texts } from "./case.ts";

const OTHER_ID = "fedcba9876543210".repeat(4);
const peer = (fields: object): Spec => ({ nodeID: ID, ...fields });

function fpeer(accepts: readonly CelCase[], refuses: readonly CelCase[]): RuleCases {
  return { kind: "FederationPeer", accepts, refuses };
}

export const FEDERATION_PEER_CASES: Readonly<Record<string, RuleCases>> = {
  "peer-id-or-ref": fpeer(
    [
      { why: "an id", spec: { nodeID: ID } },
      { why: "a reference", spec: { nodeRef: ref("a") } },
    ],
    [{ why: "both", spec: { nodeID: ID, nodeRef: ref("a") } }],
  ),
  "peer-ref-has-no-endpoints": fpeer(
    [{ why: "id and address", spec: peer({ endpoints: [{ name: "a", url: "https://a.example" }] }) }],
    [
      {
        why: "reference and address",
        spec: { nodeRef: ref("a"), endpoints: [{ name: "a", url: "https://a.example" }] },
      },
    ],
  ),
  "peer-node-id-immutable": fpeer(
    [
      { why: "unchanged", old: { nodeID: ID }, spec: peer({ weight: 5 }) },
      { why: "set for the first time", old: { admission: "Pending" }, spec: { nodeID: ID, admission: "Pending" } },
    ],
    [
      { why: "changed", old: { nodeID: ID }, spec: { nodeID: OTHER_ID } },
      { why: "removed", old: { nodeID: ID }, spec: { admission: "Pending" } },
    ],
  ),
  "peer-origin-immutable": fpeer(
    [
      {
        why: "unchanged",
        old: peer({ origin: "Discovered" }),
        spec: peer({ origin: "Discovered", admission: "Approved" }),
      },
      { why: "absent means Authored", old: peer({}), spec: peer({ origin: "Authored" }) },
    ],
    [
      { why: "promoted in place", old: peer({ origin: "Discovered" }), spec: peer({ origin: "Authored" }) },
      { why: "demoted", old: peer({}), spec: peer({ origin: "Discovered" }) },
    ],
  ),
  "discovered-sets-no-suspend": fpeer(
    [
      { why: "authored", spec: peer({ suspend: true }) },
      { why: "discovered without", spec: peer({ origin: "Discovered" }) },
    ],
    [{ why: "discovered", spec: peer({ origin: "Discovered", suspend: false }) }],
  ),
  "discovered-sets-no-node-selector": fpeer(
    [{ why: "authored", spec: peer({ nodeSelector: {} }) }],
    [{ why: "discovered", spec: peer({ origin: "Discovered", nodeSelector: {} }) }],
  ),
  "approved-needs-identity": fpeer(
    [
      {
        why: "pending, address only",
        spec: { admission: "Pending", endpoints: [{ name: "a", url: "https://a.example" }] },
      },
      { why: "discovered is pending", spec: { origin: "Discovered" } },
      { why: "approved by reference", spec: { nodeRef: ref("a"), admission: "Approved" } },
    ],
    [
      { why: "authored is approved", spec: { endpoints: [{ name: "a", url: "https://a.example" }] } },
      { why: "said so", spec: { admission: "Approved", origin: "Discovered" } },
    ],
  ),
  "peer-endpoint-https": fpeer(
    [{ why: "https", spec: peer({ endpoints: [{ name: "a", url: "https://a.example" }] }) }],
    [{ why: "http", spec: peer({ endpoints: [{ name: "a", url: "http://a.example" }] }) }],
  ),
  "peer-endpoint-form": texts("FederationPeer", (url) => peer({ endpoints: [{ name: "a", url }] }), ADDRESSES),
  "peer-node-selector-expressions": selectors("FederationPeer", (nodeSelector) => peer({ nodeSelector })),
  "peer-pin-form": fpeer(
    [{ why: "a digest", spec: peer({ trust: { pins: [`sha256:${ID}`] } }) }],
    [
      { why: "no algorithm", spec: peer({ trust: { pins: [ID] } }) },
      { why: "too long", spec: peer({ trust: { pins: [`sha256:${ID}0`] } }) },
    ],
  ),
};
