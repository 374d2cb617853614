/**
 * `helm test`: makes a small ArchiveNode as a user would, waits until it is Ready, deletes it with all it has.
 *
 * Prints what its conditions say while it waits, so that the pod's log shows what is missing.
 */
import { randomBytes } from "node:crypto";
import { API_VERSION, type ArchiveNode } from "@archivestream/crds";
import { checkConfig } from "./config/config.ts";
import { readEnvironment } from "./config/env.ts";
import { RESOURCES } from "./controllers/resource-types.ts";
import { createKubeClient, type KubeClient } from "./kube/client.ts";
import { pause, systemClock } from "./kube/clock.ts";
import { inClusterCredentials, kubeconfigCredentials } from "./kube/credentials.ts";
import { createKubeMetrics } from "./kube/metrics.ts";
import type { KubeObject } from "./kube/objects.ts";
import { createTransport } from "./kube/transport.ts";
import { OPEN_FENCE } from "./kube/write-fence.ts";
import { createRegistry } from "./observability/registry.ts";

type StoredNode = ArchiveNode & KubeObject;

/** Below the five minutes that `helm test` waits by default, so that the reason is printed before it gives up. */
const DEADLINE_MS = 270_000;
const DELETE_DEADLINE_MS = 20_000;
const LOOK_MS = 1_000;

async function main(): Promise<void> {
  const config = checkConfig(readEnvironment());
  const transport = createTransport({
    credentials:
      config.inClusterServer === undefined
        ? kubeconfigCredentials(config.kubeconfigPath)
        : inClusterCredentials(config.inClusterServer),
    userAgent: "archive-operator-test",
    fence: OPEN_FENCE,
    metrics: createKubeMetrics(createRegistry()),
    clock: systemClock,
  });
  try {
    await testWith(createKubeClient(transport), config.namespace, config.className);
  } finally {
    await transport.close();
  }
}

async function testWith(client: KubeClient, namespace: string, className: string): Promise<void> {
  const name = `helm-test-${randomBytes(3).toString("hex")}`;
  const node = {
    apiVersion: API_VERSION,
    kind: "ArchiveNode",
    metadata: { namespace, name },
    spec: { ...(className === "" ? {} : { className }), storage: { size: "1Gi", retention: "Delete" } },
  };
  const key = { namespace, name };
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const created = await client.create<KubeObject>(RESOURCES.ArchiveNode, node, signal);
  say(`made ArchiveNode ${namespace}/${name}`);
  try {
    await ready(client, key, signal);
    say("it is Ready");
  } finally {
    const { uid = "" } = created.metadata;
    const outcome = await client.delete(
      { resource: RESOURCES.ArchiveNode, key },
      { uid },
      AbortSignal.timeout(DELETE_DEADLINE_MS),
    );
    say(`deleted it: ${outcome}`);
  }
}

async function ready(client: KubeClient, key: { namespace: string; name: string }, signal: AbortSignal): Promise<void> {
  let said = "";
  while (!signal.aborted) {
    const conditions = (await client.get<StoredNode>(RESOURCES.ArchiveNode, key, signal))?.status?.conditions ?? [];
    const summary = conditions.find(({ type }) => type === "Ready");
    const text =
      summary === undefined
        ? "a first word; if none comes, no operator acts on this namespace and class"
        : summary.message;
    if (summary?.status === "True") return;
    if (text !== said) say(`waiting: ${text}`);
    said = text;
    if (summary?.reason === "Stalled") throw new Error(`it will not become Ready: ${text}`);
    await pause(systemClock, LOOK_MS, signal);
  }
  throw new Error(`not Ready after ${DEADLINE_MS / 1_000} s: ${said}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
