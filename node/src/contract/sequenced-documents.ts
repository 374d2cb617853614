/** What all sequenced documents have in common: which there are, and the digest that tells one content from another. */
import { createHash } from "node:crypto";
import { ADMIN_PATHS } from "./admin-api.ts";
import { canonicalJson } from "./canonical-json.ts";
import {
  DOCUMENT_FILES,
  type FederationDocument,
  FederationDocumentSchema,
  type TrustDocument,
  TrustDocumentSchema,
} from "./documents.ts";

/** Members that say which issue a document is, and not what it says. */
export const ISSUE_MEMBERS = ["sequence", "issuedAt", "digest"] as const;

/** A further document is one more entry here. */
export const DOCUMENTS = {
  trust: { schema: TrustDocumentSchema, file: DOCUMENT_FILES.trust, adminPath: ADMIN_PATHS.trust },
  federation: { schema: FederationDocumentSchema, file: DOCUMENT_FILES.federation, adminPath: ADMIN_PATHS.federation },
} as const;
export type DocumentName = keyof typeof DOCUMENTS;
export const DOCUMENT_NAMES = Object.keys(DOCUMENTS) as readonly DocumentName[];

export interface DocumentTypes {
  readonly trust: TrustDocument;
  readonly federation: FederationDocument;
}

/** `sha256:<hex>` over the canonical form without `digest`, `sequence` and `issuedAt`. */
export function documentDigest(document: object): string {
  const content = Object.fromEntries(
    Object.entries(document).filter(([name]) => !(ISSUE_MEMBERS as readonly string[]).includes(name)),
  );
  return `sha256:${createHash("sha256").update(canonicalJson(content), "utf8").digest("hex")}`;
}
