/** The part of a logger this folder calls; pino's fits. Messages are constant, data is in keys. */
type Write = (data: Readonly<Record<string, unknown>>, message: string) => void;

export interface Log {
  readonly error: Write;
  readonly warn: Write;
  readonly info: Write;
  readonly debug: Write;
}

export const SILENT: Log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
