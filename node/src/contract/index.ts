/** What a node promises to whoever runs it. The operator may import this and nothing else of the node. */
export * from "./admin-api.ts";
export * from "./config-schema.ts";
export * from "./documents.ts";
export * from "./exit-codes.ts";
export * from "./ports.ts";
