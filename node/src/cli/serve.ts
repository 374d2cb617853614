/** `archive-node serve`: starts the node, waits for SIGTERM or SIGINT, drains, stops. */
import { type ComposedNode, composeNode } from "../compose.ts";
import { type LoadedConfig, loadConfig } from "../config/config.ts";
import { EXIT_CODES } from "../contract/exit-codes.ts";
import { certificateFile } from "../identity/local-identity.ts";
import { Supervisor } from "../lifecycle/supervisor.ts";
import { createLogger, type Logger } from "../observability/logging.ts";
import { parseCommandArgs } from "./options.ts";

/** Together below the 30 s that Kubernetes waits before it kills. */
const DRAIN_MS = 20_000;
const STOP_MS = 8_000;

export async function serve(args: readonly string[]): Promise<number> {
  const { values: options, lists } = parseCommandArgs(args, {
    values: ["data", "config", "listen", "web", "replay", "metrics", "trust", "advertise"],
    lists: ["seed", "allow-net"],
  });
  const loaded = await loadConfig({
    data: options.data,
    config: options.config,
    listen: options.listen,
    web: options.web,
    replay: options.replay,
    metrics: options.metrics,
    trust: options.trust,
    advertise: options.advertise,
    seed: lists.seed,
    allowNet: lists["allow-net"],
  });
  const logger = createLogger(loaded.config.logLevel, loaded.config.name);
  if (loaded.unknownMembers.length > 0) {
    const members = loaded.unknownMembers;
    logger.warn({ members }, "members of the configuration that this version does not know are left out");
  }
  const stop = stopSignal();
  const node = await composeNode(loaded, logger);
  const supervisor = new Supervisor(node.components, {
    started: (component) => logger.debug({ component }, "component started"),
    stopFailed: (component, error) => logger.error({ component, err: error }, "component did not stop cleanly"),
  });
  try {
    await supervisor.start(stop, STOP_MS);
  } catch (error) {
    if (!stop.aborted) throw error;
    logger.info("stopped while starting");
    return EXIT_CODES.ok;
  }
  if (node.state.phase === "Starting") node.state.become("Serving");
  announce(loaded, node, logger);
  await aborted(stop);
  logger.info("draining");
  await node.drain(DRAIN_MS);
  await supervisor.stop(STOP_MS);
  logger.info("stopped");
  return EXIT_CODES.ok;
}

/** The line a person copies from: where it runs, who it is, what to give `curl`. */
function announce(loaded: LoadedConfig, node: ComposedNode, logger: Logger): void {
  const { nodeId } = node.identity.keys();
  const host = node.boundTo().replace(/^(127\.0\.0\.1|\[::1\]|0\.0\.0\.0|\[::\])(?=:)/, "localhost");
  const caFile = certificateFile(loaded.config.files.keys);
  process.stdout.write(
    `archive-node ready url=https://${host} node=${nodeId} cacert=${caFile} token=${node.identity.tokenFile}\n`,
  );
  logger.info({ nodeId, listen: node.boundTo() }, "node started");
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => controller.abort());
  return controller.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
