/** An archive opened in the test's own process, with the routes that peers call, and callers known by a word. */
import { createHash } from "node:crypto";
import { Registry } from "prom-client";
import { AccessPolicy } from "../../node/src/archive/access.ts";
import { type Archive, openArchive } from "../../node/src/archive/open-archive.ts";
import { DEFAULT_LIMITS, type NodeConfig } from "../../node/src/contract/config-schema.ts";
import { createAuthentication } from "../../node/src/http/authenticate.ts";
import { createHttpMetrics } from "../../node/src/http/metrics.ts";
import { createArchiveApp, type PublicAppOptions } from "../../node/src/http/public-app.ts";
import { UploadSlots } from "../../node/src/http/upload-slots.ts";
import { NodeState } from "../../node/src/lifecycle/node-state.ts";
import { createLogger } from "../../node/src/observability/logging.ts";
import { federationOf, SELF } from "./federation-in-process.ts";

/** As sent in `Authorization`; nobody sends nothing. */
export const CALLERS = {
  anonymous: {},
  token: { authorization: "Bearer 0123456789abcdef" },
  trusted: { authorization: "ASFP trusted" },
  stranger: { authorization: "ASFP stranger" },
} as const;
const CALL_MS = 60_000;

export function configOf(dataDir: string, collections: NodeConfig["collections"]): NodeConfig {
  return {
    ...{ schemaVersion: 1, name: "archive", dataDir, capabilities: ["store", "search", "index"], collections },
    ...{ listen: { federation: "127.0.0.1:0" }, limits: { ...DEFAULT_LIMITS, reserveBytes: 0 }, logLevel: "error" },
  };
}

/** Started; stop it. */
export async function startedArchive(config: NodeConfig, registry = new Registry()): Promise<Archive> {
  const archive = openArchive({ config, logger: createLogger("error", "test"), registry, state: new NodeState() });
  await archive.start(AbortSignal.timeout(CALL_MS));
  return archive;
}

export async function store(
  archive: Archive,
  collection: string,
  bytes: Uint8Array,
  filename?: string,
  { again } = { again: false },
) {
  const body = (async function* () {
    yield bytes;
  })();
  const options = { collection, filename, sizeBytes: bytes.length, sha256: undefined, again };
  return archive.services.uploads.upload(body, options, AbortSignal.timeout(CALL_MS));
}

/** The app of the federation listener, without TLS. */
export function federationApp(archive: Archive, config: NodeConfig, sync: NonNullable<PublicAppOptions["sync"]>) {
  const nodeId = (name: string) => createHash("sha256").update(name).digest("hex");
  return createArchiveApp({
    ...{ logger: createLogger("error", "test"), metrics: createHttpMetrics(new Registry()), listener: "federation" },
    ...{ services: archive.services, access: new AccessPolicy(config.collections), state: new NodeState(), sync },
    leafSearch: { isPrivate: sync.isPrivate, hasSearch: true, monotonicMs: () => performance.now() },
    federated: federationOf(archive.services, {}),
    nodeId: () => SELF,
    callerOf: createAuthentication({
      isAccessToken: (offered) => offered === "0123456789abcdef",
      peerOf: (session) => ({ kind: "peer", nodeId: nodeId(session), isTrusted: session === "trusted" }),
    }),
    ...{ slots: new UploadSlots(1), body: { maxBytes: 1 << 30, windowMs: CALL_MS, windowBytes: 1 } },
  });
}
