/** JSON lines on standard error; messages are constant, data is in keys. */
import { type Logger as PinoLogger, pino } from "pino";

export type Logger = PinoLogger;

export function createLogger(level: "debug" | "info" | "warn" | "error", name: string): Logger {
  return pino(
    {
      level,
      base: { node: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
