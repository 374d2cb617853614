/** Annotations that only this controller reads. */
import { GROUP } from "@archivestream/crds";

/** On a Secret or ConfigMap with a sequenced document: `<sequence> <issuedAt> <digest>`. */
export const DOCUMENT_ANNOTATION = `${GROUP}/document`;
