/** What a node promises to whoever runs it. The operator may import this and nothing else of the node. */
export * from "./access-token.ts";
export * from "./admin-api.ts";
export * from "./canonical-json.ts";
export * from "./config-schema.ts";
export * from "./delegation.ts";
export * from "./documents.ts";
export * from "./domains.ts";
export * from "./exclusions.ts";
export * from "./exit-codes.ts";
export * from "./federation-reports.ts";
export * from "./federation-url.ts";
export * from "./file-name.ts";
export * from "./node-id.ts";
export * from "./ports.ts";
export * from "./replay-path.ts";
export * from "./sequenced-documents.ts";
export * from "./signature.ts";
