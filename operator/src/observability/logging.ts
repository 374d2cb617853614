/** JSON lines on standard error; messages are constant, data is in keys. */
import { type Logger, pino } from "pino";

export function createLogger(level: "debug" | "info" | "warn" | "error", instance: string): Logger {
  const options = {
    level,
    base: { instance },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Synchronous, so that the last line before an exit is not lost.
  return pino(options, pino.destination({ fd: 2, sync: true }));
}
