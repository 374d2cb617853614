/** The operator as a process: settings, parts, run until SIGTERM or SIGINT, exit code. */
import { compose } from "./compose.ts";
import { ConfigError, checkConfig } from "./config/config.ts";
import { readEnvironment } from "./config/env.ts";
import { createLogger } from "./observability/logging.ts";

/** Bad settings: restarting cannot help. */
const EXIT_CONFIG = 2;
/** Leadership lost, caches not filled, or a bug: a fresh process is the cure. */
const EXIT_FAILED = 1;

async function main(): Promise<number> {
  const config = checkConfig(readEnvironment());
  const log = createLogger(config.logLevel, config.podName);
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      log.info({ signal: name }, "stopping");
      stop.abort();
    });
  }
  try {
    log.info({ namespaces: config.watchNamespaces, class: config.className }, "starting");
    await compose(config, log).run(stop.signal);
    log.info({}, "stopped");
    return 0;
  } catch (error) {
    log.error({ err: error }, "ended by an error");
    return EXIT_FAILED;
  }
}

main().then(
  // Not `exitCode`: after lost leadership nothing may go on, whatever still has a socket open.
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof ConfigError ? error.message : String(error)}\n`);
    process.exit(error instanceof ConfigError ? EXIT_CONFIG : EXIT_FAILED);
  },
);
