/**
 * Both ways through every CEL rule: objects it lets pass and objects it refuses. Read by the unit tests (CEL in
 * JavaScript) and by the tests against a real API server; the unit tests fail when a rule has no case.
 */
import { ARCHIVE_NODE_CASES } from "./cel-cases/archive-node.ts";
import { ARCHIVE_NODE_FORM_CASES } from "./cel-cases/archive-node-forms.ts";
import type { RuleCases } from "./cel-cases/case.ts";
import { FEDERATION_PEER_CASES } from "./cel-cases/federation-peer.ts";
import { SYNC_POLICY_CASES } from "./cel-cases/sync-policy.ts";

/** Cases by the rule's id, which is unique over all kinds. */
export const CEL_CASES: Readonly<Record<string, RuleCases>> = {
  ...ARCHIVE_NODE_CASES,
  ...ARCHIVE_NODE_FORM_CASES,
  ...FEDERATION_PEER_CASES,
  ...SYNC_POLICY_CASES,
};
