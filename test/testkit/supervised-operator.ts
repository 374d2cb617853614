/**
 * The operator as a process that is started again whenever it ends, as a kubelet would; with leader election, under the
 * rights that the chart ships.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePorts } from "./free-port.ts";
import { OPERATOR_NAMESPACE } from "./operator-under-test.ts";

const ENTRY = fileURLToPath(new URL("operator-process.worker.ts", import.meta.url));
/** A kubelet waits ten seconds before the first restart and longer before the next; tests have less time. */
const RESTART_DELAY_MS = 500;

export interface SupervisedOperator extends AsyncDisposable {
  /** How every process that is gone ended, in order: exit code or signal. */
  readonly ends: readonly (number | string)[];
  /** Asks the process that runs now; throws while none listens. */
  get(path: "/readyz" | "/healthz" | "/metrics"): Promise<{ readonly status: number; readonly text: string }>;
  /** Ends the process that runs now without a chance to tidy up. */
  kill(): void;
}

export interface SupervisedOptions {
  readonly kubeconfig: string;
  readonly adminPort: number;
}

export async function superviseOperator(options: SupervisedOptions): Promise<SupervisedOperator> {
  const [metricsPort = 0] = await freePorts(1);
  const stop = new AbortController();
  const ends: (number | string)[] = [];
  let child: ChildProcess | undefined;
  const running = (async () => {
    for (let count = 0; !stop.signal.aborted; count++) {
      child = start(options, metricsPort, `operator-${count}`);
      const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
      ends.push(code ?? signal ?? "unknown");
      await sleep(RESTART_DELAY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return {
    ends,
    get: async (path) => {
      const answer = await fetch(`http://127.0.0.1:${metricsPort}${path}`, { signal: AbortSignal.timeout(5_000) });
      return { status: answer.status, text: await answer.text() };
    },
    kill: () => void child?.kill("SIGKILL"),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      child?.kill("SIGTERM");
      await running;
    },
  };
}

function start({ kubeconfig, adminPort }: SupervisedOptions, metricsPort: number, podName: string): ChildProcess {
  return spawn(process.execPath, [ENTRY], {
    stdio: "ignore",
    env: {
      PATH: process.env["PATH"],
      KUBECONFIG: kubeconfig,
      ADMIN_PORT: String(adminPort),
      METRICS_PORT: String(metricsPort),
      METRICS_HOST: "127.0.0.1",
      POD_NAME: podName,
      POD_NAMESPACE: OPERATOR_NAMESPACE,
      NODE_IMAGE: "example.test/archive-node",
    },
  });
}
