/** The operator as a process of its own whose pods answer on another port: settings by environment, as in a cluster. */
import { compose } from "../../operator/src/compose.ts";
import { checkConfig } from "../../operator/src/config/config.ts";
import { readEnvironment } from "../../operator/src/config/env.ts";
import { createLogger } from "../../operator/src/observability/logging.ts";

const config = checkConfig(readEnvironment());
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const operator = compose(config, createLogger(config.logLevel, config.podName), {
  adminPort: Number(process.env["ADMIN_PORT"]),
  ...(process.env["SERVICE_ACCOUNT_FOLDER"] && { serviceAccountFolder: process.env["SERVICE_ACCOUNT_FOLDER"] }),
});
await operator.run(stop.signal);
process.exit(0);
