/** `host:port` as written on the command line and in the configuration; IPv6 hosts in square brackets. */
import { StartError } from "./errors.ts";

export interface HostPort {
  readonly host: string;
  /** 0 asks the system for a free port. */
  readonly port: number;
}

const SHAPE = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<name>[^:[\]]+)):(?<port>\d{1,5})$/;

/**
 * @param field - what the value was given for, for the message
 * @throws {StartError} `BAD_USAGE`
 */
export function parseHostPort(value: string, field: string): HostPort {
  const groups = SHAPE.exec(value)?.groups;
  const host = groups?.["v6"] ?? groups?.["name"];
  const port = Number(groups?.["port"]);
  if (host === undefined || port > 65_535) {
    throw new StartError("BAD_USAGE", { reason: `${field}: expected HOST:PORT, for example 127.0.0.1:8443` });
  }
  return { host, port };
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
