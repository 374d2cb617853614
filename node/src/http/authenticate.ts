/** Who sent a request: read from its `Authorization` once, and remembered for as long as the request lives. */
import type { FastifyRequest } from "fastify";
import { ANONYMOUS, type Caller } from "../archive/caller.ts";
import { HttpProblem } from "./problem.ts";

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;
const SESSION = /^ASFP +([A-Za-z0-9_.-]{1,1024})$/i;

/** @throws {HttpProblem} `auth-required` when a token is offered and wrong */
export type CallerOf = (request: FastifyRequest) => Caller;

export interface Credentials {
  /** Whether it is the node's access token. */
  readonly isAccessToken: (offered: string) => boolean;
  /** The peer whose session token this is; `undefined` when it is none, or its peer is not let in any more. */
  readonly peerOf: (
    sessionToken: string,
    connection: FastifyRequest["raw"]["socket"],
  ) => Extract<Caller, { kind: "peer" }> | undefined;
}

export function createAuthentication(credentials: Credentials): CallerOf {
  const known = new WeakMap<FastifyRequest, Caller>();
  return (request) => {
    const before = known.get(request);
    if (before !== undefined) return before;
    const caller = identify(request, credentials);
    known.set(request, caller);
    return caller;
  };
}

function identify({ headers, raw }: FastifyRequest, { isAccessToken, peerOf }: Credentials): Caller {
  const header = headers.authorization;
  if (header === undefined) return ANONYMOUS;
  const session = SESSION.exec(header)?.[1];
  if (session !== undefined) {
    const peer = peerOf(session, raw.socket);
    if (peer === undefined) throw new HttpProblem("auth-required", "the session has ended: handshake again");
    return peer;
  }
  const offered = BEARER.exec(header)?.[1];
  if (offered !== undefined && isAccessToken(offered)) return { kind: "token" };
  throw new HttpProblem("auth-required", "the token offered is not the token of this node");
}
