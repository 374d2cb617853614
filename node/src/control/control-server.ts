/**
 * The Unix socket on which a running node takes commands about its peers, policies and files: `POST /<command>` with JSON parameters.
 * Whoever may open the socket may command: its mode lets in the user that the node runs as.
 */
import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import Value from "typebox/value";
import type { Component } from "../lifecycle/component.ts";
import type { Logger } from "../observability/logging.ts";
import { COMMAND_SCHEMAS, type CommandContext, type CommandName, runControlCommand } from "./commands.ts";
import { socketFile, withSocketPath } from "./socket-path.ts";

const SOCKET_MODE = 0o600;
const NOT_FOR_OTHERS = 0o177;
const BODY_BYTES = 1024 * 1024;
/** Asking who is at an address takes longest, or waiting for a text to leave the search. */
const COMMAND_MS = 20_000;

/** Body of every answer that is not 200. */
export interface ControlRefusal {
  readonly code: string;
  readonly message: string;
}

export class ControlServer implements Component {
  readonly name = "control socket";
  readonly #dataDir: string;
  readonly #context: CommandContext;
  readonly #logger: Logger;
  readonly #server: Server;

  constructor(dataDir: string, context: CommandContext, logger: Logger) {
    this.#dataDir = dataDir;
    this.#context = context;
    this.#logger = logger;
    this.#server = createServer({ requestTimeout: COMMAND_MS }, (request, response) => {
      void this.#answer(request, response);
    });
  }

  /** The lock on the folder is held: a socket that is there was left by a process that is gone. */
  async start(): Promise<void> {
    try {
      await rm(socketFile(this.#dataDir), { force: true });
      await withSocketPath(this.#dataDir, (path) => this.#listen(path));
      await chmod(socketFile(this.#dataDir), SOCKET_MODE);
    } catch (error) {
      // Some volumes (SMB, FAT) take no sockets. The archive works without; documents can still be changed while it is stopped.
      this.#logger.warn({ err: error }, "no control socket: commands need the node stopped");
    }
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    await rm(socketFile(this.#dataDir), { force: true });
  }

  /** The mask is in force while the socket is made, which `listen` does before it returns. */
  #listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      const before = process.umask(NOT_FOR_OTHERS);
      try {
        this.#server.listen(path, () => {
          this.#server.off("error", reject);
          resolve();
        });
      } finally {
        process.umask(before);
      }
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const name = request.url?.slice(1) ?? "";
      if (request.method !== "POST" || !isCommand(name)) {
        const message = `the node that runs does not know "${name}"; restart it`;
        send(response, 404, { code: "COMMAND_UNKNOWN", message });
        return;
      }
      const params: unknown = JSON.parse(await bodyOf(request));
      if (!Value.Check(COMMAND_SCHEMAS[name], params)) {
        const [first] = Value.Errors(COMMAND_SCHEMAS[name], params);
        const message = `${first?.instancePath || "/"}: ${first?.message ?? "is wrong"}`;
        send(response, 400, { code: "BAD_PARAMETERS", message });
        return;
      }
      const result = await runControlCommand(name, this.#context, params as never, AbortSignal.timeout(COMMAND_MS));
      send(response, 200, { result });
    } catch (error) {
      send(response, 409, this.#refusalOf(error));
    }
  }

  #refusalOf(error: unknown): ControlRefusal {
    const message = error instanceof Error ? error.message : String(error);
    const { code } = error as { readonly code?: unknown };
    if (typeof code === "string") return { code, message };
    this.#logger.error({ err: error }, "a command failed");
    return { code: "FAILED", message };
  }
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMAND_SCHEMAS, name);
}

function send(response: ServerResponse, status: number, body: ControlRefusal | { readonly result: unknown }): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES) throw new Error(`a command has at most ${BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
