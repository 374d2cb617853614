/** Which failures only a person can mend, and in what words a node says so. Pure. */
import type { ArchiveNodeReason } from "@archivestream/crds";
import { KubeError } from "../../kube/api-errors.ts";
import { forbiddenMessage, isPolicyRefusal } from "../kstatus.ts";
import { ArchiveNodeError } from "./errors.ts";

/** What stops all work on a node. */
export interface Blocked {
  readonly reason: ArchiveNodeReason<"Stalled">;
  readonly message: string;
  readonly cause: unknown;
}

/** Fields of the spec by where their value ends up in a document; what is not here keeps its path. */
const FIELDS: readonly (readonly [written: RegExp, field: string])[] = [
  [/^config\.collections(\[\d+\])?\.embargoSeconds$/, "spec.collections$1.embargo"],
  [/^config\.(collections|capabilities)/, "spec.$1"],
  [/^trust\.(mode|require)/, "spec.trust.$1"],
];

/** @returns undefined for failures that may pass by themselves */
export function blockedBy(error: unknown): Blocked | undefined {
  if (error instanceof ArchiveNodeError) return blockedByOurs(error as ArchiveNodeError);
  if (!(error instanceof KubeError)) return undefined;
  const said = error.details.message ?? error.details.reason ?? "";
  if (error.code === "FORBIDDEN" || (error.code === "INVALID" && isPolicyRefusal(said)))
    return { reason: "Forbidden", message: forbiddenMessage(said), cause: error };
  if (error.code !== "INVALID") return undefined;
  const message = `the API server refused what the spec asks for: ${said}; change that field`;
  return { reason: "InvalidSpec", message, cause: error };
}

function blockedByOurs(error: ArchiveNodeError): Blocked {
  if (error.code === "CHILD_NOT_OWNED") {
    const { kind, name, owner } = error.details as ArchiveNodeError<"CHILD_NOT_OWNED">["details"];
    const message = `${kind} ${name} exists and belongs to ${owner}; delete or rename it, or rename this ArchiveNode`;
    return { reason: "ChildNotOwned", message, cause: error };
  }
  const { document, path, problem } = error.details as ArchiveNodeError<"CONFIG_INVALID">["details"];
  const message = `no archive of this release can be given ${fieldOf(document, path)}: ${problem}; change that field, or upgrade the operator`;
  return { reason: "InvalidSpec", message, cause: error };
}

/** `config`, `/collections/0/access` -> `spec.collections[0].access` */
function fieldOf(document: string, path: string): string {
  const written = `${document}${path.replace(/\/(\d+)/g, "[$1]").replaceAll("/", ".")}`;
  const known = FIELDS.find(([pattern]) => pattern.test(written));
  return known === undefined ? written : written.replace(...known);
}
