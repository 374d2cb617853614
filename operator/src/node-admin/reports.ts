/** The pages that a pod reports beside its status, and their schemas. */
import {
  type AdminDiscoveries,
  AdminDiscoveriesSchema,
  type AdminPeers,
  AdminPeersSchema,
  type AdminPolicies,
  AdminPoliciesSchema,
} from "@archivestream/node/contract";

export interface Reports {
  readonly peers: AdminPeers;
  readonly policies: AdminPolicies;
  readonly discoveries: AdminDiscoveries;
}

export type ReportPage = keyof Reports;

export const REPORT_PAGES: readonly ReportPage[] = ["peers", "policies", "discoveries"];

export const REPORT_SCHEMAS = {
  peers: AdminPeersSchema,
  policies: AdminPoliciesSchema,
  discoveries: AdminDiscoveriesSchema,
} as const;
