/** The API contract: kinds, conditions, labels. Imports nothing else of this project. */

export { RESERVED_COLLECTION_NAMES } from "./archive-node/content.ts";
export * from "./archive-node.ts";
export * from "./conditions.ts";
export * from "./errors.ts";
export * from "./federation-peer.ts";
export * from "./implemented.ts";
export * from "./kind.ts";
export * from "./kinds.ts";
export * from "./labels.ts";
export { customResourceDefinition } from "./manifest.ts";
export * from "./parse.ts";
export * from "./sync-policy.ts";
