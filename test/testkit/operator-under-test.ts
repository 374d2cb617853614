/**
 * The whole operator against a real API server, under exactly the rights that the chart ships, with a stand-in for
 * kubelet and node program. Everything it asked of the API server is in the audit log.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { ArchiveNode, ArchiveNodeSpec } from "@archivestream/crds";
import { parse, parseAllDocuments } from "yaml";
import { compose } from "../../operator/src/compose.ts";
import type { Config } from "../../operator/src/config/config.ts";
import { resourceOf } from "../../operator/src/controllers/resource-types.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { Clock } from "../../operator/src/kube/clock.ts";
import type { KubeObject, ResourceType } from "../../operator/src/kube/objects.ts";
import { type Log, SILENT } from "../../operator/src/runtime/log.ts";
import type { ApiServer } from "../cluster/api-server.ts";
import { type Manifest, renderIn } from "./chart.ts";
import { PodStandIn } from "./pod-stand-in.ts";
import { type PolicyRule, untilGranted } from "./rights.ts";
import { waitUntil } from "./wait-until.ts";

const CHART = new URL("../../charts/archive-operator/", import.meta.url);
export const OPERATOR_USER = "archive-operator-under-test";
export const OPERATOR_NAMESPACE = "archive-system";
const STAND_IN_PERIOD_MS = 200;
/** A real cluster has a kubelet per machine. */
const STAND_IN_CONCURRENCY = 8;

/** One answered request, of the audit log. */
export interface AuditedRequest {
  readonly verb: string;
  readonly userAgent?: string;
  readonly user: { readonly username: string };
  readonly requestURI: string;
  readonly objectRef?: {
    readonly resource: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

const CLUSTER_SCOPED: Readonly<Record<string, readonly [group: string, version: string, plural: string]>> = {
  CustomResourceDefinition: ["apiextensions.k8s.io", "v1", "customresourcedefinitions"],
  ClusterRole: ["rbac.authorization.k8s.io", "v1", "clusterroles"],
  ClusterRoleBinding: ["rbac.authorization.k8s.io", "v1", "clusterrolebindings"],
  Namespace: ["", "v1", "namespaces"],
  StorageClass: ["storage.k8s.io", "v1", "storageclasses"],
};

export function clusterResource(kind: string): ResourceType {
  const [group, version, plural] = CLUSTER_SCOPED[kind] ?? [];
  if (group === undefined || version === undefined || plural === undefined) return resourceOf(kind);
  return { group, version, kind, plural, namespaced: false };
}

const RBAC_GROUP = "rbac.authorization.k8s.io";
const NAMESPACED_RBAC: Readonly<Record<string, string>> = { Role: "roles", RoleBinding: "rolebindings" };

function anyResource(kind: string): ResourceType {
  const plural = NAMESPACED_RBAC[kind];
  if (plural === undefined) return clusterResource(kind);
  return { group: RBAC_GROUP, version: "v1", kind, plural, namespaced: true };
}

/** Creates or updates, as the administrator. */
export async function put(client: KubeClient, object: KubeObject, signal: AbortSignal): Promise<void> {
  const resource = anyResource(object.kind);
  const { name, namespace } = object.metadata;
  await client.patch(
    { resource, key: { namespace, name } },
    object,
    {
      contentType: "application/apply-patch+yaml",
      fieldManager: "test",
      force: true,
    },
    signal,
  );
}

/** The rights of the chart, as shipped. */
export async function shippedRules(): Promise<readonly PolicyRule[]> {
  return parse(await readFile(new URL("files/rules.yaml", CHART), "utf8")) as readonly PolicyRule[];
}

/** What the chart grants in the operator's own namespace, beside {@link shippedRules}. */
export async function ownNamespaceRules(): Promise<readonly PolicyRule[]> {
  const role = (await renderIn(OPERATOR_NAMESPACE, [])).find(({ kind }) => kind === "Role");
  if (role === undefined) throw new Error("the chart renders no Role");
  return (role as Manifest & { readonly rules: readonly PolicyRule[] }).rules;
}

const OUR_KINDS = ["archivenodes", "federationpeers", "syncpolicies"] as const;

/** Installs one of our kinds as shipped, or brings it back; safe to repeat. */
export async function putKind(client: KubeClient, plural: (typeof OUR_KINDS)[number], signal: AbortSignal) {
  const text = await readFile(new URL(`files/crds/${plural}.yaml`, CHART), "utf8");
  for (const document of parseAllDocuments(text)) await put(client, document.toJS() as KubeObject, signal);
}

/** Installs all of our kinds and waits until they are served; safe to repeat. */
export async function putKinds(client: KubeClient, signal: AbortSignal): Promise<void> {
  for (const plural of OUR_KINDS) await putKind(client, plural, signal);
  const served = async () => {
    for (const kind of ["ArchiveNode", "FederationPeer", "SyncPolicy"]) await client.list(resourceOf(kind), {}, signal);
    return true;
  };
  await waitUntil("the kinds to be served", served, { deadlineMs: 30_000, signal });
}

/** Gives the operator exactly these rights, and its own namespace; safe to repeat. */
export async function grantRights(
  client: KubeClient,
  shipped: readonly PolicyRule[],
  signal: AbortSignal,
): Promise<void> {
  const metadata = { name: OPERATOR_USER };
  const rules = shipped.map(({ apiGroups, resources, verbs }) => ({ apiGroups, resources, verbs }));
  const own = { ...metadata, namespace: OPERATOR_NAMESPACE };
  const ownRules = await ownNamespaceRules();
  await put(client, { apiVersion: "v1", kind: "Namespace", metadata: { name: OPERATOR_NAMESPACE } }, signal);
  for (const object of [
    { kind: "ClusterRole", metadata, rules },
    { kind: "ClusterRoleBinding", metadata, ...boundTo("ClusterRole") },
    { kind: "Role", metadata: own, rules: ownRules },
    { kind: "RoleBinding", metadata: own, ...boundTo("Role") },
  ])
    await put(client, { apiVersion: `${RBAC_GROUP}/v1`, ...object }, signal);
  const user = OPERATOR_USER;
  await untilGranted(client, { user, rules, beyond: await shippedRules() }, signal);
  await untilGranted(client, { user, namespace: OPERATOR_NAMESPACE, rules: ownRules }, signal);
}

function boundTo(kind: "Role" | "ClusterRole"): object {
  return {
    roleRef: { apiGroup: RBAC_GROUP, kind, name: OPERATOR_USER },
    subjects: [{ kind: "User", name: OPERATOR_USER, apiGroup: RBAC_GROUP }],
  };
}

/** Kinds, rights and namespaces; safe to repeat. */
export async function prepareCluster(client: KubeClient, signal: AbortSignal): Promise<void> {
  await grantRights(client, await shippedRules(), signal);
  await putKinds(client, signal);
}

export interface RunningOperator extends AsyncDisposable {
  readonly standIn: PodStandIn;
  readonly healthPort: () => number | undefined;
  /** Ends the operator and starts another with the same settings. */
  restart(): Promise<void>;
}

export interface OperatorOptions {
  readonly server: ApiServer;
  readonly admin: KubeClient;
  readonly config?: Partial<Config>;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: none. */
  readonly log?: Log;
  /** As {@link PodStandInOptions.remount}; default true. */
  readonly remount?: boolean;
}

export interface RunningStandIn extends AsyncDisposable {
  readonly standIn: PodStandIn;
  readonly adminPort: number;
}

/** Plays kubelet and node program until it is disposed of. */
export async function startStandIn(admin: KubeClient, remount = true): Promise<RunningStandIn> {
  const stop = new AbortController();
  const { signal } = stop;
  const standIn = new PodStandIn({ client: admin, signal, concurrency: STAND_IN_CONCURRENCY, remount });
  const adminPort = await standIn.listen();
  const kubelet = (async () => {
    while (!stop.signal.aborted) {
      await standIn.step().catch(() => undefined); // objects vanish while it looks; the next look is soon
      await sleep(STAND_IN_PERIOD_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return {
    standIn,
    adminPort,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await kubelet;
      await standIn.close();
    },
  };
}

export async function startOperator({
  server,
  admin,
  config: given,
  clock,
  log = SILENT,
  remount,
}: OperatorOptions): Promise<RunningOperator> {
  const pods = await startStandIn(admin, remount);
  const config: Config = {
    podName: "operator-0",
    namespace: OPERATOR_NAMESPACE,
    watchNamespaces: [],
    inClusterServer: undefined,
    kubeconfigPath: await server.userKubeconfig(OPERATOR_USER, []),
    logLevel: "info",
    metricsHost: "127.0.0.1",
    metricsPort: 0,
    leaderElection: false,
    workers: 8,
    resyncMs: 1_800_000,
    nodeImage: "example.test/archive-node",
    nodeVersion: "0.1.0",
    nodePullPolicy: "IfNotPresent",
    className: "",
    ...given,
  };
  const start = () => {
    const stop = new AbortController();
    const operator = compose(config, log, {
      adminPort: pods.adminPort,
      startJitterMs: 0,
      ...(clock === undefined ? {} : { clock }),
    });
    return { stop, operator, running: operator.run(stop.signal) };
  };
  let current = start();
  const end = async () => {
    current.stop.abort();
    await current.running;
  };
  return {
    standIn: pods.standIn,
    healthPort: () => current.operator.healthPort(),
    restart: async () => {
      await end();
      current = start();
    },
    [Symbol.asyncDispose]: async () => {
      await end();
      await pods[Symbol.asyncDispose]();
    },
  };
}

export function newNode(namespace: string, name: string, spec: ArchiveNodeSpec = {}): ArchiveNode {
  // The API server fills in what a stored object has.
  return {
    apiVersion: "archivestream.io/v1alpha1",
    kind: "ArchiveNode",
    metadata: { namespace, name },
    spec,
  } as ArchiveNode;
}

/** Requests of the operator, or of another user, so far, in order. */
export async function operatorRequests(
  server: ApiServer,
  user: string = OPERATOR_USER,
): Promise<readonly AuditedRequest[]> {
  if (server.auditLogPath === undefined) throw new Error("the API server keeps no audit log");
  // What follows the last line break is being written right now, for a request that is not answered yet.
  const lines = (await readFile(server.auditLogPath, "utf8")).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as AuditedRequest).filter((one) => one.user.username === user);
}

/** What counts as a write: everything that changes the cluster, but Lease renewals. */
export function writesOf(requests: readonly AuditedRequest[]): readonly AuditedRequest[] {
  const reading = ["get", "list", "watch"];
  return requests.filter((one) => !reading.includes(one.verb) && one.objectRef?.resource !== "leases");
}

/** `apiGroup/resource verb` of every right that requests used. */
export function usedRights(requests: readonly AuditedRequest[]): ReadonlySet<string> {
  return new Set(
    requests.flatMap(({ objectRef, verb }) => {
      if (objectRef === undefined) return [];
      const { apiGroup = "", resource, subresource } = objectRef;
      return [`${apiGroup}/${resource}${subresource === undefined ? "" : `/${subresource}`} ${verb}`];
    }),
  );
}
