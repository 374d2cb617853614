/**
 * The configuration file a node reads at start (`--config`). The operator renders it into ConfigMap `<n>-config` and
 * checks it with this schema first. Everything here needs a restart to change; what may change while running is in
 * the documents (documents.ts) and in the key and token files, which are watched.
 */
import Type, { type Static } from "typebox";

const Name = Type.String({ pattern: "^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$", maxLength: 63 });
const HostPort = Type.String({ pattern: "^.+:\\d{1,5}$", maxLength: 260 });
const Path = Type.String({ minLength: 1, maxLength: 4096 });

/** Paths no collection may be named after: the node serves them itself. */
export const RESERVED_COLLECTION_NAMES = [
  "api",
  "cdx",
  "wasapi",
  "timegate",
  "timemap",
  "memento",
  "healthz",
  "readyz",
  "metrics",
  "console",
] as const;

export const CollectionConfigSchema = Type.Object({
  name: Name,
  access: Type.Union([Type.Literal("Public"), Type.Literal("Federation"), Type.Literal("Private")]),
  /** Captures younger than this are not shown, and whole files only with the token; 0 = none. Seconds. */
  embargoSeconds: Type.Integer({ minimum: 0 }),
  /** What no read path shows, in a form that exclusions.ts takes; with any, whole files are given with the token only. */
  exclude: Type.Array(Type.String({ minLength: 1, maxLength: 2048 }), { maxItems: 1000 }),
});
export type CollectionConfig = Static<typeof CollectionConfigSchema>;

export const CapabilitySchema = Type.Union([
  Type.Literal("crawl"),
  Type.Literal("store"),
  Type.Literal("search"),
  Type.Literal("index"),
]);

/** Members that an older node does not know are left out by it, never a reason not to start. */
export const NodeConfigSchema = Type.Object({
  schemaVersion: Type.Literal(1),
  /** Name of the ArchiveNode, or of the host outside Kubernetes. */
  name: Type.String({ minLength: 1, maxLength: 253 }),
  dataDir: Path,
  capabilities: Type.Array(CapabilitySchema, { maxItems: 4 }),
  /** At least one; the first is where uploads without a collection go. */
  collections: Type.Array(CollectionConfigSchema, { minItems: 1, maxItems: 256 }),
  /** `host:port` of each listener; an absent one is off. */
  listen: Type.Object({
    federation: HostPort,
    web: Type.Optional(HostPort),
    replay: Type.Optional(HostPort),
    admin: Type.Optional(HostPort),
    metrics: Type.Optional(HostPort),
  }),
  /**
   * Folders of watched files; see KEY_FILES and DOCUMENT_FILES. `adminTls` goes with `listen.admin`. Absent, as outside
   * Kubernetes: the node makes and renews its own keys and token, all below `dataDir`.
   */
  files: Type.Optional(
    Type.Object({
      keys: Path,
      access: Path,
      trust: Path,
      federation: Path,
      adminTls: Type.Optional(Path),
    }),
  ),
  limits: Type.Object({
    /** Largest upload, bytes. */
    uploadBytes: Type.Integer({ minimum: 1 }),
    /** Uploads at once; more answer 503 with Retry-After. */
    concurrentUploads: Type.Integer({ minimum: 1, maximum: 256 }),
    /** Uploads stop when less than this is free on the volume, bytes. */
    reserveBytes: Type.Integer({ minimum: 0 }),
  }),
  logLevel: Type.Union([Type.Literal("debug"), Type.Literal("info"), Type.Literal("warn"), Type.Literal("error")]),
});
export type NodeConfig = Static<typeof NodeConfigSchema>;

export const DEFAULT_LIMITS: NodeConfig["limits"] = {
  uploadBytes: 64 * 1024 ** 3,
  concurrentUploads: 8,
  reserveBytes: 256 * 1024 ** 2,
};
