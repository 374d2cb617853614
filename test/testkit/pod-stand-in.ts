/**
 * Plays the kubelet and the node program for tests without machines: binds claims, marks pods ready, and answers the
 * admin port for each of them over mutual TLS with the very Secrets that the pods would have mounted.
 *
 * One server stands for all pods; the TLS server name tells which one is meant. Documents arrive by PUT, or are read
 * from Secret and ConfigMap as a kubelet would deliver them.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import {
  ADMIN_CLIENT_NAME,
  ADMIN_PATHS,
  type AdminDiscoveries,
  type AdminPeers,
  type AdminPolicies,
  type FederationDocument,
} from "@archivestream/node/contract";
import { RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject, ResourceType } from "../../operator/src/kube/objects.ts";
import { mountedBy, type PodState, readsOf, remounted, type StandInReader, taking } from "./pod-mounts.ts";

type Json = Record<string, unknown>;
interface PodObject extends KubeObject {
  readonly spec: { readonly volumes?: readonly unknown[]; readonly containers: readonly { readonly image: string }[] };
  readonly status?: { readonly phase?: string };
}
interface ClaimObject extends KubeObject {
  readonly spec: {
    readonly storageClassName?: string;
    readonly resources: { readonly requests: { readonly storage: string } };
  };
  readonly status?: { readonly phase?: string; readonly capacity?: { readonly storage?: string } };
}

type Report = AdminPeers | AdminPolicies | AdminDiscoveries;

export interface PodStandInOptions {
  readonly client: KubeClient;
  readonly signal: AbortSignal;
  /** Pods and claims worked at the same time; default 1. */
  readonly concurrency?: number;
  /** Look at the mounts of running pods again, as a kubelet does; default true. Without it, documents come by PUT only. */
  readonly remount?: boolean;
  /** Where claims, pods and what they mount are read; default the API server, each time. */
  readonly reader?: StandInReader;
}

const VOLUMES: ResourceType = {
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  namespaced: false,
};

/** Every pod gets this address: all of them are one server on loopback. */
const POD_ADDRESS = "127.0.0.1";

export class PodStandIn {
  readonly #client: KubeClient;
  readonly #signal: AbortSignal;
  readonly #concurrency: number;
  readonly #remount: boolean;
  readonly #reader: StandInReader;
  readonly #server: Server;
  readonly #pods = new Map<string, PodState>();
  /** Size of the volume that a claim was given, by UID: the volume controller takes its time, and a cache too. */
  readonly #volumes = new Map<string, string>();
  /** UIDs of the pods that were marked ready. */
  readonly #started = new Set<string>();
  /** Pods and claims that stay as they are, by `namespace/name`; such a pod takes no document either. */
  readonly held = new Set<string>();
  /** Admin calls answered, by method and path. */
  readonly calls = new Map<string, number>();
  /** Of them, those that said that nothing is new since the answer before. */
  readonly unchanged = new Map<string, number>();
  /**
   * What every pod reports beside its status, or makes of its federation document, by path of {@link ADMIN_PATHS}; a path
   * without an entry answers 404.
   */
  readonly reports = new Map<string, Report | ((document: FederationDocument) => Report)>();
  /** Server names of the pods that were dialled. */
  readonly dialled = new Set<string>();
  /** Questions for the status answered, by the server name of the pod. */
  readonly statusCalls = new Map<string, number>();

  constructor(options: PodStandInOptions) {
    this.#client = options.client;
    this.#signal = options.signal;
    this.#concurrency = options.concurrency ?? 1;
    this.#remount = options.remount ?? true;
    this.#reader = options.reader ?? readsOf(options.client, options.signal);
    this.#server = createServer(
      {
        minVersion: "TLSv1.3",
        requestCert: true,
        rejectUnauthorized: false, // decided per request: each pod has its own idea of the CA
        SNICallback: (name, done) => {
          const state = this.#pods.get(name);
          this.dialled.add(name);
          if (state === undefined) done(new Error(`no pod ${name}`));
          else done(null, state.context);
        },
      },
      (request, response) => this.#answer(request, response),
    );
  }

  /** Starts listening. @returns the admin port of all pods */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, POD_ADDRESS, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Brings every claim and pod as far as it can get; safe to repeat. @returns how many pods are ready */
  async step(namespace?: string): Promise<number> {
    const claims = await this.#reader.list<ClaimObject>(RESOURCES.PersistentVolumeClaim, namespace);
    await this.#forEach(claims, (claim) => this.#bind(claim));
    const pods = await this.#reader.list<PodObject>(RESOURCES.Pod, namespace);
    let ready = 0;
    await this.#forEach(pods, async (pod) => {
      ready += (await this.#start(pod)) ? 1 : 0;
    });
    return ready;
  }

  async #forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const queue = items.values(); // shared: each worker takes the next one
    const worker = async () => {
      for (const item of queue) await work(item);
    };
    await Promise.all(Array.from({ length: this.#concurrency }, worker));
  }

  /** Gives the claim a volume of its own, which the volume controller then binds; a grown claim gets its new size. */
  async #bind(claim: ClaimObject): Promise<void> {
    const { storage } = claim.spec.resources.requests;
    const { name, namespace, uid = "" } = claim.metadata;
    if (this.held.has(`${namespace}/${name}`)) return;
    if (claim.status?.phase === "Bound" && claim.status.capacity?.storage === storage) return;
    if (claim.status?.phase !== "Bound" && this.#volumes.get(uid) === storage) return;
    const volume = {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: `pv-${uid}` },
      spec: {
        capacity: { storage },
        accessModes: ["ReadWriteOnce"],
        persistentVolumeReclaimPolicy: "Retain",
        storageClassName: claim.spec.storageClassName ?? "",
        hostPath: { path: `/nowhere/${uid}` },
        claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace, uid },
      },
    };
    const options = { contentType: "application/apply-patch+yaml", fieldManager: "pod-stand-in", force: true } as const;
    await this.#client.patch({ resource: VOLUMES, key: { name: volume.metadata.name } }, volume, options, this.#signal);
    this.#volumes.set(uid, storage);
    if (claim.status?.phase === "Bound")
      await this.#patchStatus(RESOURCES.PersistentVolumeClaim, claim, { capacity: { storage } });
  }

  /** @returns true when the pod runs */
  async #start(pod: PodObject): Promise<boolean> {
    const { namespace = "", name, uid = "", labels = {}, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) {
      // Nobody else confirms a pod's end without a kubelet.
      const grace = { kind: "DeleteOptions", apiVersion: "v1", gracePeriodSeconds: 0 };
      const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
      await this.#client.request({ method: "DELETE", path, body: grace }, this.#signal).catch(() => undefined);
      return false;
    }
    if (this.held.has(`${namespace}/${name}`)) return false;
    const node = labels["archivestream.io/node"];
    if (node === undefined) return false;
    const server = `${name}.${node}-headless.${namespace}.svc`;
    const runs = pod.status?.phase === "Running" || this.#started.has(uid);
    if (!this.#remount && runs && this.#pods.has(server)) return true;
    const mounted = await mountedBy(this.#reader, namespace, node);
    if (mounted === undefined) return false;
    this.#pods.set(server, remounted(this.#pods.get(server), mounted));
    if (!runs) await this.#markReady(pod);
    this.#started.add(uid);
    return true;
  }

  async #markReady(pod: PodObject): Promise<void> {
    const now = new Date().toISOString().replace(/\.\d+/, "");
    const conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
      type,
      status: "True",
      lastTransitionTime: now,
    }));
    await this.#patchStatus(RESOURCES.Pod, pod, {
      phase: "Running",
      podIP: POD_ADDRESS,
      podIPs: [{ ip: POD_ADDRESS }],
      startTime: now,
      conditions,
    });
  }

  async #patchStatus(resource: (typeof RESOURCES)["Pod"], object: KubeObject, status: Json): Promise<void> {
    const { namespace, name } = object.metadata;
    await this.#client.patch(
      { resource, key: { namespace, name } },
      { status },
      { subresource: "status", contentType: "application/merge-patch+json", fieldManager: "pod-stand-in" },
      this.#signal,
    );
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const socket = request.socket as TLSSocket & { readonly servername?: string };
    const state = this.#pods.get(socket.servername ?? "");
    const call = `${request.method} ${request.url}`;
    count(this.calls, call);
    const isOperator = socket.authorized && socket.getPeerCertificate().subject?.CN === ADMIN_CLIENT_NAME;
    if (state === undefined || !isOperator) send(response, 403, {});
    else if (call === `GET ${ADMIN_PATHS.status}`) {
      count(this.statusCalls, socket.servername ?? "");
      this.#sendTagged(request, response, state.status);
    } else if (request.method === "GET") this.#sendTagged(request, response, this.#reportOf(request.url, state));
    else if (request.method === "PUT") this.#takeDocument(request, response, socket.servername ?? "");
    else send(response, 404, {});
  }

  #reportOf(path: string | undefined, { federation }: PodState): Report | undefined {
    const report = this.reports.get(path ?? "");
    return typeof report === "function" ? report(federation) : report;
  }

  #takeDocument(request: IncomingMessage, response: ServerResponse, server: string): void {
    const field = request.url === ADMIN_PATHS.trust ? "trust" : "federation";
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      const state = this.#pods.get(server);
      if (this.held.has(podKey(server))) {
        send(response, 422, {});
        return;
      }
      const taken = state === undefined ? undefined : taking(state, field, body);
      if (taken !== undefined) this.#pods.set(server, taken);
      send(response, taken === undefined ? 409 : 200, {});
    });
  }

  #sendTagged(request: IncomingMessage, response: ServerResponse, body: object | undefined): void {
    if (body === undefined) {
      send(response, 404, {});
      return;
    }
    const etag = `"${createHash("sha256").update(JSON.stringify(body)).digest("hex").slice(0, 16)}"`;
    response.setHeader("etag", etag);
    if (request.headers["if-none-match"] === etag) {
      count(this.unchanged, `${request.method} ${request.url}`);
      response.writeHead(304).end();
    } else send(response, 200, body);
  }
}

/** `namespace/name` of a pod, from its server name. */
function podKey(server: string): string {
  const [name = "", , namespace = ""] = server.split(".");
  return `${namespace}/${name}`;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
}
