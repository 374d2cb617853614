/** A real API server with the kinds, the operator's rights and one namespace, and what tests of faults ask of it. */
import type { ArchiveNode, ArchiveNodeConditionType, ArchiveNodeSpec } from "@archivestream/crds";
import { type KnownKind, RESOURCES } from "../../operator/src/controllers/resource-types.ts";
import { KubeError } from "../../operator/src/kube/api-errors.ts";
import type { KubeClient } from "../../operator/src/kube/client.ts";
import type { KubeObject } from "../../operator/src/kube/objects.ts";
import { type ApiServer, startApiServer } from "../cluster/api-server.ts";
import { administratorOf } from "./administrator.ts";
import {
  type AuditedRequest,
  grantRights,
  newNode,
  operatorRequests,
  put,
  putKinds,
  shippedRules,
  writesOf,
} from "./operator-under-test.ts";
import { waitUntil } from "./wait-until.ts";

type StoredNode = ArchiveNode & KubeObject;

export interface ArchiveWorld extends AsyncDisposable {
  readonly server: ApiServer;
  readonly admin: KubeClient;
  readonly signal: AbortSignal;
  readonly namespace: string;
  get<T extends KubeObject>(kind: KnownKind, name: string): Promise<T | undefined>;
  node(name: string): Promise<StoredNode | undefined>;
  create(name: string, spec?: ArchiveNodeSpec): Promise<void>;
  condition(name: string, type: ArchiveNodeConditionType): Promise<Condition | undefined>;
  /** Waits until the condition has this status, and gives it back. */
  until(name: string, type: ArchiveNodeConditionType, status: string): Promise<Condition>;
  /** Waits until the condition has this reason. */
  reason(name: string, type: ArchiveNodeConditionType, wanted: string): Promise<void>;
  /** Creates nodes that are not there yet, and waits until all are ready. */
  ready(...names: readonly string[]): Promise<void>;
  edit(kind: KnownKind, name: string, mergePatch: object): Promise<void>;
  remove(kind: KnownKind, name: string): Promise<void>;
  /** Has the operator look at a node again, as a person would who changed something that makes no event. */
  nudge(name: string): Promise<void>;
  /** Writes of the operator so far, in order. */
  writes(): Promise<readonly AuditedRequest[]>;
  /** Waits until the operator has written nothing for a while. @returns the number of its writes so far */
  quiet(): Promise<number>;
}

type Condition = NonNullable<NonNullable<ArchiveNode["status"]>["conditions"]>[number];

export interface ArchiveWorldOptions {
  readonly namespace: string;
  /** Install the kinds; default true. */
  readonly kinds?: boolean;
  /** Of one wait; default 90 s. */
  readonly deadlineMs?: number;
}

/** Longer than any pause between two writes that belong to one change. */
const QUIET_MS = 3_000;

export async function archiveWorld(options: ArchiveWorldOptions): Promise<ArchiveWorld> {
  const { namespace } = options;
  const stack = new AsyncDisposableStack();
  const signal = AbortSignal.timeout(900_000);
  const server = await startApiServer({
    controllerManager: true,
    auditLog: true,
    signal: AbortSignal.timeout(150_000),
  });
  stack.defer(() => server.stop());
  const admin = stack.use(await administratorOf(server)).client;
  await grantRights(admin, await shippedRules(), signal);
  if (options.kinds !== false) await putKinds(admin, signal);
  await put(admin, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }, signal);
  return { ...verbs({ server, admin, signal, ...options }), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

interface Parts extends ArchiveWorldOptions {
  readonly server: ApiServer;
  readonly admin: KubeClient;
  readonly signal: AbortSignal;
}

function verbs({ server, admin, signal, namespace, deadlineMs = 90_000 }: Parts): Omit<ArchiveWorld, symbol> {
  const wait = { deadlineMs };
  const get: ArchiveWorld["get"] = (kind, name) => admin.get(RESOURCES[kind], { namespace, name }, signal);
  const node = (name: string) => get<StoredNode>("ArchiveNode", name);
  const condition = async (name: string, type: ArchiveNodeConditionType) =>
    (await node(name))?.status?.conditions?.find((one) => one.type === type);
  const until: ArchiveWorld["until"] = (name, type, status) =>
    waitUntil(
      `${type}=${status} of ${name}`,
      async () => {
        const found = await condition(name, type);
        return found?.status === status ? found : undefined;
      },
      wait,
    );
  const reason: ArchiveWorld["reason"] = async (name, type, wanted) => {
    const isGiven = async () => (await condition(name, type))?.reason === wanted;
    await waitUntil(`${type}/${wanted} of ${name}`, isGiven, wait);
  };
  const create = async (name: string, spec?: ArchiveNodeSpec) => {
    const made = newNode(namespace, name, spec) as StoredNode;
    // A busy API server may time out, with or without having stored the object.
    const isThere = async () => {
      await admin.create(RESOURCES.ArchiveNode, made, signal).catch((error: unknown) => {
        if (!(error instanceof KubeError) || error.code !== "ALREADY_EXISTS") throw error;
      });
      return true;
    };
    await waitUntil(`ArchiveNode ${name} to be created`, isThere, wait);
  };
  const edit: ArchiveWorld["edit"] = async (kind, name, patch) => {
    const options = { contentType: "application/merge-patch+json", fieldManager: "somebody" } as const;
    await admin.patch({ resource: RESOURCES[kind], key: { namespace, name } }, patch, options, signal);
  };
  const writes = async () => writesOf(await operatorRequests(server));
  return {
    server,
    admin,
    signal,
    namespace,
    get,
    node,
    create,
    condition,
    until,
    reason,
    edit,
    writes,
    ready: async (...names) => {
      for (const name of names) if ((await node(name)) === undefined) await create(name);
      for (const name of names) await until(name, "Ready", "True");
    },
    remove: async (kind, name) => {
      const uid = (await get(kind, name))?.metadata.uid ?? "";
      await admin.delete({ resource: RESOURCES[kind], key: { namespace, name } }, { uid }, signal);
    },
    nudge: (name) =>
      edit("ArchiveNode", name, { metadata: { annotations: { "archivestream.io/look": crypto.randomUUID() } } }),
    quiet: async () => {
      let last = -1;
      let sinceMs = performance.now();
      const isQuiet = async () => {
        const now = (await writes()).length;
        if (now !== last) sinceMs = performance.now();
        last = now;
        return performance.now() - sinceMs > QUIET_MS;
      };
      await waitUntil("the operator to fall silent", isQuiet, wait);
      return last;
    },
  };
}
