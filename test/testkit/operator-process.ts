/**
 * Starts the operator as a process of its own as it runs in a pod: by a service account, with the flags of its image.
 * Reads what it says about itself on its metrics port.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { OPERATOR_NAMESPACE } from "./operator-under-test.ts";
import { waitUntil } from "./wait-until.ts";

const DOCKERFILE = new URL("../../operator/Dockerfile", import.meta.url);
const ENTRY = fileURLToPath(new URL("operator-process.worker.ts", import.meta.url));

export interface OperatorProcessOptions {
  /** Origin of the API server. */
  readonly server: string;
  /** With the files that the kubelet mounts: `token` and `ca.crt`. */
  readonly serviceAccountFolder: string;
  readonly adminPort: number;
  readonly metricsPort: number;
  /** Flags of Node, such as `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
}

export interface OperatorProcess extends AsyncDisposable {
  /** Milliseconds from the start of the process to the first 200 of `/readyz`. */
  readonly readyMs: number;
  /** Sum of all samples of a metric. */
  metric(name: string): Promise<number>;
  /** Its samples with these values of the label `quantile`, from one scrape. */
  quantiles(name: string, quantiles: readonly string[]): Promise<readonly number[]>;
}

/** @throws {WaitTimeoutError} it was not ready in two minutes */
export async function startOperatorProcess(options: OperatorProcessOptions): Promise<OperatorProcess> {
  const { server, serviceAccountFolder, adminPort, metricsPort, nodeFlags = [] } = options;
  const { hostname, port } = new URL(server);
  const start = performance.now();
  const child = spawn(process.execPath, [...(await imageFlags()), ...nodeFlags, ENTRY], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      PATH: process.env["PATH"],
      MALLOC_ARENA_MAX: "1", // as in its image
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
      SERVICE_ACCOUNT_FOLDER: serviceAccountFolder,
      ADMIN_PORT: String(adminPort),
      METRICS_PORT: String(metricsPort),
      METRICS_HOST: "127.0.0.1",
      POD_NAME: "operator-0",
      POD_NAMESPACE: OPERATOR_NAMESPACE,
      NODE_IMAGE: "example.test/archive-node",
      LOG_LEVEL: "error",
    },
  });
  const ended = once(child, "exit");
  const get = (path: string) => fetch(`http://127.0.0.1:${metricsPort}${path}`);
  await waitUntil("the operator to be ready", async () => (await get("/readyz")).status === 200, {
    deadlineMs: 120_000,
    everyMs: 10,
  });
  return {
    readyMs: performance.now() - start,
    metric: async (name) => sumOf(await (await get("/metrics")).text(), name, ""),
    quantiles: async (name, quantiles) => {
      const text = await (await get("/metrics")).text();
      return quantiles.map((quantile) => sumOf(text, name, `quantile="${quantile}"`));
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Between `node` and the entry file in the image's command. */
async function imageFlags(): Promise<readonly string[]> {
  const [, command = ""] = /^ENTRYPOINT (.*)$/m.exec(await readFile(DOCKERFILE, "utf8")) ?? [];
  return (JSON.parse(command) as readonly string[]).slice(1, -1);
}

function sumOf(text: string, name: string, label: string): number {
  const samples = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const wanted = samples.filter((line) => line.includes(label));
  return wanted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
