/** A listener as a component: binds its app to an address, and closes it after what runs has been answered. */
import type { AddressInfo } from "node:net";
import type { Server } from "node:tls";
import type { FastifyInstance } from "fastify";
import { formatHostPort, type HostPort } from "../config/host-port.ts";
import type { Component } from "../lifecycle/component.ts";
import { type AppTls, tlsOptions } from "./app.ts";

export class Listener implements Component {
  readonly name: string;
  readonly #app: FastifyInstance;
  readonly #address: HostPort;

  constructor(name: string, app: FastifyInstance, address: HostPort) {
    this.name = name;
    this.#app = app;
    this.#address = address;
  }

  /** `host:port` as bound, once started. */
  get boundTo(): string {
    const bound = this.#app.server.address() as AddressInfo | null;
    return formatHostPort({ host: this.#address.host, port: bound?.port ?? this.#address.port });
  }

  async start(): Promise<void> {
    await this.#app.listen(this.#address);
  }

  /** New connections are refused at once; requests that still run when `signal` aborts are cut. */
  async stop(signal: AbortSignal): Promise<void> {
    const cut = () => this.#app.server.closeAllConnections();
    signal.addEventListener("abort", cut, { once: true });
    try {
      await this.#app.close();
    } finally {
      signal.removeEventListener("abort", cut);
    }
  }

  /** New connections see the new certificate; open ones go on. */
  useTls(tls: AppTls): void {
    (this.#app.server as unknown as Server).setSecureContext(tlsOptions(tls));
  }
}
