/** Sessions of peers that call: tokens that nothing stores, and the connections to cut when their peer is let in no more. */
import type { KeyObject } from "node:crypto";
import type { Caller } from "../archive/caller.ts";
import type { Session } from "../asfp/handshake.ts";
import { ASFP_LIMITS } from "../asfp/limits.ts";
import { openSession, SESSION_SCOPES, sealSession } from "../asfp/sealed.ts";
import type { Trust } from "./trust.ts";

/** As much of a socket as is needed here. */
export interface Connection {
  destroy(): unknown;
  once(event: "close", listener: () => void): unknown;
}

export class PeerSessions {
  readonly #serviceKey: () => KeyObject;
  readonly #trust: Trust;
  readonly #nowMs: () => number;
  readonly #connections = new Map<string, Set<Connection>>();

  constructor(serviceKey: () => KeyObject, trust: Trust, nowMs: () => number) {
    this.#serviceKey = serviceKey;
    this.#trust = trust;
    this.#nowMs = nowMs;
  }

  issue(nodeId: string): Session {
    return {
      token: sealSession(this.#serviceKey(), { nodeId, scope: SESSION_SCOPES }, this.#nowMs()),
      expires_in_ms: ASFP_LIMITS.sessionLifetimeMs,
      scope: [...SESSION_SCOPES],
    };
  }

  /** Whose token it is, while its node is let in; the connection then ends with the peer's trust. */
  peerOf(token: string, connection: Connection): Extract<Caller, { kind: "peer" }> | undefined {
    const session = openSession(this.#serviceKey(), token, this.#nowMs());
    if (session === undefined) return undefined;
    const { kind } = this.#trust.admits(session.nodeId);
    if (kind !== "trusted" && kind !== "open") return undefined;
    this.#remember(session.nodeId, connection);
    return { kind: "peer", nodeId: session.nodeId, isTrusted: kind === "trusted" };
  }

  /** Cuts the connections of peers that are not let in any more, also in the middle of an answer. */
  endRefused(): void {
    for (const [nodeId, connections] of this.#connections) {
      if (this.#trust.letsIn(nodeId)) continue;
      for (const connection of [...connections]) connection.destroy();
    }
  }

  #remember(nodeId: string, connection: Connection): void {
    const held = this.#connections.get(nodeId) ?? new Set();
    if (held.has(connection)) return;
    held.add(connection);
    this.#connections.set(nodeId, held);
    connection.once("close", () => {
      held.delete(connection);
      if (held.size === 0 && this.#connections.get(nodeId) === held) this.#connections.delete(nodeId);
    });
  }
}
