/** Where archives answer: base URLs of the federation API. Pure. */
import type { ArchiveNode } from "@archivestream/crds";
import { PORTS } from "@archivestream/node/contract";
import { childNames } from "./names.ts";

const BASE_PATH = "/api/v1/federation";

/** The base URL that an address means: one without a path is that of an archive, which keeps its API in a fixed place. */
export function baseUrl(address: string): string {
  const url = URL.parse(address);
  if (url === null || (url.pathname !== "/" && url.pathname !== "")) return address;
  return `${url.origin}${BASE_PATH}`;
}

/** What peers are told of an ArchiveNode: the address its user gave, or its Service's name in the cluster. */
export function advertisedUrl({ metadata, spec }: Pick<ArchiveNode, "metadata" | "spec">): string {
  const wanted = spec.endpoint?.advertised;
  if (wanted !== undefined && isUrl(wanted)) return baseUrl(wanted);
  return serviceUrl(metadata);
}

export function serviceUrl({ name, namespace }: { readonly name: string; readonly namespace: string }): string {
  return `https://${childNames(name).service}.${namespace}.svc:${PORTS.federation}${BASE_PATH}`;
}

/** The schema sees only how it begins. */
export function isUrl(text: string): boolean {
  return URL.canParse(text);
}
