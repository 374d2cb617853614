/** The trust document as the pods see it. Its content holds no secret; a Secret keeps it from plain view. */
import { SECRET_TYPES } from "@archivestream/crds";
import { DOCUMENT_FILES } from "@archivestream/node/contract";
import type { Document } from "../../issued-documents.ts";
import { childNames } from "../../names.ts";
import type { EffectiveNode } from "../effective.ts";
import { DOCUMENT_ANNOTATION } from "./annotations.ts";
import { type Child, childMetadata } from "./metadata.ts";

export function trustSecret(node: EffectiveNode, document: Document): Child {
  const metadata = childMetadata(node, childNames(node.name).trust);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...metadata, annotations: { [DOCUMENT_ANNOTATION]: document.annotation } },
    type: SECRET_TYPES.trust,
    data: { [DOCUMENT_FILES.trust]: document.base64, [DOCUMENT_FILES.trustCa]: "" },
  };
}
