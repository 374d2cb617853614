/** The trust and federation documents of a node nobody has configured: no peers, and none let in. */
import type { FederationDocument, TrustDocument } from "../contract/documents.ts";
import { documentDigest } from "../contract/sequenced-documents.ts";

const NAME_LENGTH = 63;
const wholeSeconds = (now: Date) => `${now.toISOString().slice(0, 19)}Z`;

export function firstTrustDocument(node: string, now: Date, mode: TrustDocument["mode"] = "Private"): TrustDocument {
  const content = {
    node: node.slice(0, NAME_LENGTH),
    mode,
    require: "Key",
    entries: [],
    revoked: [],
  } as const;
  return {
    sequence: 1,
    issuedAt: wholeSeconds(now),
    ...content,
    entries: [],
    revoked: [],
    digest: documentDigest(content),
  };
}

export function firstFederationDocument(node: string, now: Date): FederationDocument {
  const content = { node: node.slice(0, NAME_LENGTH), peers: [], policies: [] };
  return { sequence: 1, issuedAt: wholeSeconds(now), ...content, digest: documentDigest(content) };
}
