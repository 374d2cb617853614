/** ConfigMaps of a node: the file it reads at start, and the federation document it follows while running. */
import { DEFAULT_LIMITS, DOCUMENT_FILES, type NodeConfig, PORTS } from "@archivestream/node/contract";
import { durationMs } from "../../duration.ts";
import type { Document } from "../../issued-documents.ts";
import { childNames } from "../../names.ts";
import type { EffectiveNode } from "../effective.ts";
import { DOCUMENT_ANNOTATION } from "./annotations.ts";
import { type Child, childMetadata } from "./metadata.ts";
import { CONFIG_FILE, MOUNTS } from "./mounts.ts";

/** The configuration file's content. The caller checks it against the contract's schema before it is applied. */
export function nodeConfig(node: EffectiveNode): NodeConfig {
  return {
    schemaVersion: 1,
    name: node.name,
    dataDir: MOUNTS.data,
    capabilities: [...node.capabilities],
    collections: node.collections.map((collection) => ({
      name: collection.name,
      access: collection.access ?? "Public",
      embargoSeconds: Math.ceil(durationMs(collection.embargo ?? "0s") / 1_000),
      exclude: [...(collection.exclude ?? [])],
    })),
    listen: {
      federation: everyAddress(PORTS.federation),
      web: everyAddress(PORTS.web),
      replay: everyAddress(PORTS.replay),
      admin: everyAddress(PORTS.admin),
      metrics: everyAddress(PORTS.metrics),
    },
    files: {
      keys: MOUNTS.keys,
      access: MOUNTS.access,
      trust: MOUNTS.trust,
      federation: MOUNTS.federation,
      adminTls: MOUNTS.adminTls,
    },
    limits: DEFAULT_LIMITS,
    logLevel: "info",
  };
}

function everyAddress(port: number): string {
  return `0.0.0.0:${port}`;
}

/** @param text - the configuration file, byte for byte: the pods report its digest */
export function configConfigMap(node: EffectiveNode, text: string): Child {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: childMetadata(node, childNames(node.name).config),
    data: { [CONFIG_FILE]: text },
  };
}

export function federationConfigMap(node: EffectiveNode, document: Document): Child {
  const metadata = childMetadata(node, childNames(node.name).federation);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...metadata, annotations: { [DOCUMENT_ANNOTATION]: document.annotation } },
    data: { [DOCUMENT_FILES.federation]: document.text },
  };
}
