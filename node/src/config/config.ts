/** The node's configuration: a checked file, or embedded defaults; with somebody else's keys or with its own. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import Value from "typebox/value";
import {
  DEFAULT_LIMITS,
  type NodeConfig,
  NodeConfigSchema,
  RESERVED_COLLECTION_NAMES,
} from "../contract/config-schema.ts";
import { exclusionTrouble } from "../contract/exclusions.ts";
import { StartError } from "./errors.ts";
import { type FederationOptions, federationOptions, type OfferedFederationOptions } from "./federation-options.ts";

/** What the command line may say; it wins over the file. */
export interface ServeOptions extends OfferedFederationOptions {
  readonly data: string | undefined;
  readonly config: string | undefined;
  readonly listen: string | undefined;
  readonly web: string | undefined;
  /** `true`: the replay port's default address. */
  readonly replay: string | undefined;
  readonly metrics: string | undefined;
}

/** With the folders of watched files, named or by default. */
export type SettledConfig = NodeConfig & { readonly files: NonNullable<NodeConfig["files"]> };

export interface LoadedConfig {
  readonly config: SettledConfig;
  /** `sha256:<hex>` of the file's bytes, so that who wrote it can compare; without a file, of the embedded defaults. */
  readonly digest: string;
  /** Members of the file that this version does not know, as JSON pointers: misspelt, or of a newer version. */
  readonly unknownMembers: readonly string[];
  /** True when no file names `files`: the node makes and renews its own keys, and `trust.json` lies flat in the folder. */
  readonly embedded: boolean;
  readonly federation: FederationOptions;
}

const DEFAULT_LISTEN = "127.0.0.1:8443";

export function embeddedConfig(dataDir: string): SettledConfig {
  return {
    schemaVersion: 1,
    name: hostname() || "archive-node",
    dataDir,
    capabilities: ["store", "search", "index"],
    collections: [{ name: "default", access: "Public", embargoSeconds: 0, exclude: [] }],
    listen: { federation: DEFAULT_LISTEN },
    files: embeddedFiles(dataDir),
    limits: DEFAULT_LIMITS,
    logLevel: "info",
  };
}

function embeddedFiles(dataDir: string): SettledConfig["files"] {
  return { keys: join(dataDir, "keys"), access: dataDir, trust: dataDir, federation: dataDir };
}

/**
 * Reads and checks the configuration.
 *
 * @throws {StartError} `BAD_USAGE` without a data folder; `BAD_CONFIG` names the file and the field
 */
export async function loadConfig(options: ServeOptions): Promise<LoadedConfig> {
  if (options.config === undefined && options.data === undefined) {
    throw new StartError("BAD_USAGE", { reason: "--data DIR is missing: the folder to keep the archive in" });
  }
  const federation = federationOptions(options);
  const file = options.config === undefined ? undefined : await readConfigFile(options.config);
  const base = file?.config ?? embeddedConfig(resolve(options.data ?? "."));
  const dataDir = options.data === undefined ? base.dataDir : resolve(options.data);
  const config: SettledConfig = {
    ...base,
    dataDir,
    files: base.files ?? embeddedFiles(dataDir),
    listen: listenWith(base.listen, options),
  };
  const digest = `sha256:${createHash("sha256")
    .update(file?.text ?? JSON.stringify(config))
    .digest("hex")}`;
  const embedded = file?.config.files === undefined;
  if (!embedded && federation.trust !== undefined) {
    const reason = "--trust: the trust document is kept by who wrote the configuration; change it there";
    throw new StartError("BAD_USAGE", { reason });
  }
  return { config, digest, unknownMembers: file?.unknownMembers ?? [], embedded, federation };
}

function listenWith(base: NodeConfig["listen"], options: ServeOptions): NodeConfig["listen"] {
  return {
    ...base,
    ...(options.listen === undefined ? {} : { federation: options.listen }),
    ...(options.web === undefined ? {} : { web: options.web }),
    ...(options.replay === undefined ? {} : { replay: options.replay }),
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
  };
}

async function readConfigFile(file: string) {
  const bad = (reason: string, cause?: unknown) => new StartError("BAD_CONFIG", { file, reason }, { cause });
  let text: string;
  let parsed: unknown;
  try {
    text = await readFile(file, "utf8");
    parsed = JSON.parse(text);
  } catch (error) {
    throw bad(error instanceof SyntaxError ? `not JSON: ${error.message}` : "cannot be read", error);
  }
  if (!Value.Check(NodeConfigSchema, parsed)) {
    const [first] = Value.Errors(NodeConfigSchema, parsed);
    throw bad(`${first?.instancePath || "/"}: ${first?.message ?? "does not match the schema"}`);
  }
  checkMeaning(parsed, bad);
  return { config: parsed, text, unknownMembers: unknownIn(NodeConfigSchema as unknown as ObjectShape, parsed, "") };
}

interface ObjectShape {
  readonly properties?: Readonly<Record<string, ObjectShape>>;
  readonly items?: ObjectShape;
}

/** Members of a value that its schema does not name, at any depth. */
function unknownIn(shape: ObjectShape | undefined, value: unknown, path: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => unknownIn(shape?.items, item, `${path}/${index}`));
  }
  const { properties } = shape ?? {};
  if (properties === undefined || typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name in properties ? unknownIn(properties[name], member, `${path}/${name}`) : [`${path}/${name}`],
  );
}

/** What the schema cannot say. */
function checkMeaning(config: NodeConfig, bad: (reason: string) => StartError): void {
  const names = config.collections.map((collection) => collection.name);
  const reserved = names.find((name) => (RESERVED_COLLECTION_NAMES as readonly string[]).includes(name));
  if (reserved !== undefined) throw bad(`/collections: the name "${reserved}" is reserved for a path of the node`);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw bad(`/collections: "${repeated}" is listed twice`);
  const unusable = exclusionTrouble(config);
  if (unusable !== undefined) throw bad(`${unusable.path}: ${unusable.problem}`);
  if (config.listen.admin !== undefined && config.files?.adminTls === undefined) {
    throw bad("/files/adminTls: needed because /listen/admin is set");
  }
}
