/** The `federation`, `web` and `replay` listeners: which routes each of them has. */
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import type { AccessPolicy } from "../archive/access.ts";
import type { ArchiveServices, FederatedSearchService } from "../archive/archive.ts";
import type { Caller } from "../archive/caller.ts";
import type { NodeState } from "../lifecycle/node-state.ts";
import { type AppOptions, createApp } from "./app.ts";
import type { CallerOf } from "./authenticate.ts";
import { OPENAPI } from "./openapi.ts";
import type { BodyLimits } from "./paced-body.ts";
import { HttpProblem } from "./problem.ts";
import { captureRoutes } from "./routes/captures.ts";
import { cdxRoutes } from "./routes/cdx.ts";
import { collectionRoutes } from "./routes/collections.ts";
import { type HandshakeAnswers, handshakeRoutes } from "./routes/federation/handshake.ts";
import { type PeersRoutesOptions, peersRoutes } from "./routes/federation/peers.ts";
import { type LeafSearchRoutesOptions, leafSearchRoutes } from "./routes/federation/search.ts";
import { syncRoutes } from "./routes/federation/sync.ts";
import type { SyncRoutesOptions } from "./routes/federation/sync-options.ts";
import { healthRoutes } from "./routes/health.ts";
import { searchRoutes } from "./routes/search.ts";
import { warcRoutes } from "./routes/warcs.ts";
import { welcomeRoutes } from "./routes/welcome.ts";
import type { UploadSlots } from "./upload-slots.ts";
import { watchMethods } from "./wrong-methods.ts";

export interface PublicAppOptions extends AppOptions {
  readonly services: ArchiveServices;
  readonly federated: FederatedSearchService;
  /** Of this node. */
  readonly nodeId: () => string;
  readonly access: AccessPolicy;
  readonly callerOf: CallerOf;
  readonly state: NodeState;
  readonly body: BodyLimits;
  readonly slots: UploadSlots;
  /** On the listener that peers call. */
  readonly leafSearch?: Pick<LeafSearchRoutesOptions, "isPrivate" | "hasSearch" | "monotonicMs">;
  readonly handshakes?: HandshakeAnswers;
  readonly peers?: Omit<PeersRoutesOptions, "callerOf">;
  readonly sync?: Pick<SyncRoutesOptions, "isPrivate" | "hasStore" | "offers" | "sent">;
}

/** Lists and bytes of files, look-ups, searches and replays without the token, by address; a page of replay asks for about a hundred. */
const ANONYMOUS_PER_MINUTE = 3_000;
/** Whole-request budget of look-ups and searches, milliseconds. */
const QUERY_DEADLINE_MS = 30_000;

/** All of `/api/v1`, CDX and raw captures. */
export async function createArchiveApp(options: PublicAppOptions): Promise<FastifyInstance> {
  const app = createApp(options);
  const refuseOtherMethods = watchMethods(app);
  addCors(app);
  await app.register(swagger, OPENAPI);
  const { access, callerOf, state } = options;
  await app.register(healthRoutes, { phase: () => state.phase });
  await app.register(collectionRoutes, { access, callerOf });
  await app.register(welcomeRoutes, { access, callerOf });
  await app.register(limitedRoutes, options);
  // With limits of their own: strangers are counted by the service.
  if (options.handshakes !== undefined) await app.register(handshakeRoutes, { handshakes: options.handshakes });
  app.get("/api/v1/openapi.json", { schema: { hide: true } as object }, () => app.swagger());
  refuseOtherMethods();
  return app;
}

/** Archived content alone: an origin that shares nothing with the API. */
export async function createReplayApp(options: PublicAppOptions): Promise<FastifyInstance> {
  const app = createApp(options);
  const refuseOtherMethods = watchMethods(app);
  addCors(app);
  await limitAnonymous(app, options.callerOf);
  await app.register(captureRoutes, {
    ...options.services,
    access: options.access,
    callerOf: options.callerOf,
    deadlineMs: QUERY_DEADLINE_MS,
  });
  refuseOtherMethods();
  return app;
}

async function limitedRoutes(app: FastifyInstance, options: PublicAppOptions): Promise<void> {
  const { services, access, callerOf, state, body, slots } = options;
  await limitAnonymous(app, callerOf);
  const isDraining = () => state.phase === "Draining";
  await app.register(warcRoutes, { ...services, access, callerOf, body, slots, isDraining });
  const shared = { ...services, access, callerOf, deadlineMs: QUERY_DEADLINE_MS };
  await app.register(searchRoutes, { ...shared, federated: options.federated, nodeId: options.nodeId });
  await app.register(cdxRoutes, shared);
  await app.register(captureRoutes, shared);
  if (options.leafSearch !== undefined) {
    await app.register(leafSearchRoutes, { ...services, access, callerOf, ...options.leafSearch });
  }
  if (options.peers !== undefined) await app.register(peersRoutes, { callerOf, ...options.peers });
  if (options.sync !== undefined) await app.register(syncRoutes, { ...services, access, callerOf, ...options.sync });
}

async function limitAnonymous(app: FastifyInstance, callerOf: CallerOf): Promise<void> {
  await app.register(rateLimit, {
    max: ANONYMOUS_PER_MINUTE,
    timeWindow: 60_000,
    allowList: (request) => isKnown(callerOf(request)),
    errorResponseBuilder: (_request, context) =>
      new HttpProblem("rate-limited", `at most ${context.max} such requests a minute`, { retryAfterMs: context.ttl }),
  });
}

/** Limits by address are for strangers: behind one address there may be many trusted peers. */
function isKnown(caller: Caller): boolean {
  return caller.kind === "token" || (caller.kind === "peer" && caller.isTrusted);
}

/** Anyone's page may read what anyone may read; `Authorization` is never sent along, so nothing private shows. */
function addCors(app: FastifyInstance): void {
  app.addHook("onRequest", async (request, reply) => {
    if (request.method !== "GET" && request.method !== "HEAD" && request.method !== "OPTIONS") return;
    reply.header("Access-Control-Allow-Origin", "*");
    reply.header("Access-Control-Allow-Headers", "Range");
    reply.header(
      "Access-Control-Expose-Headers",
      "ASFP-Request-Id, Content-Range, Accept-Ranges, ETag, Repr-Digest, Link, Memento-Datetime, Retry-After",
    );
  });
}
