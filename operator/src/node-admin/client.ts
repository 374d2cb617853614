/**
 * Asks pods on their admin port: mutual TLS 1.3, dialled by the pod's address, named by the pod's DNS name.
 *
 * Every call has a deadline. Nothing is retried here: the poller asks again when it is time.
 */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { createSecureContext } from "node:tls";
import { ADMIN_PATHS, type AdminStatus, AdminStatusSchema } from "@archivestream/node/contract";
import { Value } from "typebox/value";
import { AdminError } from "./errors.ts";
import { REPORT_SCHEMAS, type ReportPage, type Reports } from "./reports.ts";

/** PEM texts: what we show, and whose servers we believe. A new object means new connections. */
export interface AdminCredentials {
  readonly key: string;
  readonly certificate: string;
  readonly ca: string;
}

export interface AdminTarget {
  /** `namespace/name`, for messages. */
  readonly pod: string;
  readonly address: string;
  readonly port: number;
  readonly serverName: string;
}

export type StatusAnswer = "unchanged" | { readonly etag: string | undefined; readonly status: AdminStatus };
/** `unknown`: the pod does not know the page. */
export type ReportAnswer<P extends ReportPage> =
  | "unchanged"
  | "unknown"
  | { readonly etag: string | undefined; readonly report: Reports[P] };
/** What became of a document: taken, not newer than the pod's own, or refused as damaged. */
export type PushOutcome = "taken" | "not-newer" | "refused";

const DEADLINE_MS = 5_000;
/** Pods are asked once a minute or so: keeping sockets open between would only cost both sides. */
const KEEP_ALIVE_MS = 8_000;
/**
 * A resumed session proves the same pod for two thirds of the processor time of a new one (2.3 ms, 3.5 ms a call), and
 * polls are most of what an idle operator does. 1.2 kB each; pods beyond this number are greeted anew.
 */
const SESSIONS = 5_000;
/** A status is under 4 KiB; more is not an answer. */
const BODY_LIMIT_BYTES = 64 * 1024;
/** 4,000 peers with long addresses. */
const REPORT_LIMIT_BYTES = 16 * 2 ** 20;
const NOT_MODIFIED = 304;
const NOT_FOUND = 404;

export class AdminClient {
  readonly #credentials: () => AdminCredentials | undefined;
  readonly #deadlineMs: number;
  #current: { readonly from: AdminCredentials; readonly agent: Agent } | undefined;

  /**
   * @param credentials - the current ones; undefined until the operator's CA exists
   * @param deadlineMs - for a whole call, from dialling to the last byte
   */
  constructor(credentials: () => AdminCredentials | undefined, deadlineMs: number = DEADLINE_MS) {
    this.#credentials = credentials;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * @param etag - of the answer before: the same status is then `"unchanged"`
   * @throws {AdminError}
   */
  async status(target: AdminTarget, etag: string | undefined, signal: AbortSignal): Promise<StatusAnswer> {
    const headers = etag === undefined ? {} : { "if-none-match": etag };
    const answer = await this.#send(target, { method: "GET", path: ADMIN_PATHS.status, headers }, signal);
    if (answer.status === NOT_MODIFIED && etag !== undefined) return "unchanged";
    const bad = (reason: string) => new AdminError("BAD_ANSWER", { pod: target.pod, status: answer.status, reason });
    if (answer.status !== 200) throw bad("status was asked for");
    const body = parseJson(answer.body);
    if (!Value.Check(AdminStatusSchema, body)) throw bad("not a status document");
    return { etag: answer.etag, status: body };
  }

  /**
   * One page of what the pod reports.
   *
   * @returns `"unknown"` when the pod's program is of a release before these pages
   * @throws {AdminError}
   */
  async report<P extends ReportPage>(
    target: AdminTarget,
    page: P,
    etag: string | undefined,
    signal: AbortSignal,
  ): Promise<ReportAnswer<P>> {
    const headers = etag === undefined ? {} : { "if-none-match": etag };
    const call = { method: "GET", path: ADMIN_PATHS[page], headers, limitBytes: REPORT_LIMIT_BYTES } as const;
    const answer = await this.#send(target, call, signal);
    if (answer.status === NOT_MODIFIED && etag !== undefined) return "unchanged";
    if (answer.status === NOT_FOUND) return "unknown";
    const bad = (reason: string) => new AdminError("BAD_ANSWER", { pod: target.pod, status: answer.status, reason });
    if (answer.status !== 200) throw bad(`${page} were asked for`);
    const body = parseJson(answer.body);
    if (!Value.Check(REPORT_SCHEMAS[page], body)) throw bad(`not a report of ${page}`);
    return { etag: answer.etag, report: body as Reports[P] };
  }

  /**
   * @param path - of {@link ADMIN_PATHS}
   * @throws {AdminError}
   */
  async push(target: AdminTarget, path: string, document: string, signal: AbortSignal): Promise<PushOutcome> {
    const headers = { "content-type": "application/json" };
    const { status } = await this.#send(target, { method: "PUT", path, headers, body: document }, signal);
    const outcome = PUSH_OUTCOMES.get(status);
    if (outcome === undefined)
      throw new AdminError("BAD_ANSWER", { pod: target.pod, status, reason: "a document was pushed" });
    return outcome;
  }

  close(): void {
    this.#current?.agent.destroy();
    this.#current = undefined;
  }

  async #send(target: AdminTarget, call: Call, signal: AbortSignal): Promise<Answer> {
    const agent = this.#agent();
    const deadline = AbortSignal.timeout(this.#deadlineMs);
    try {
      const asked = request({
        agent,
        host: target.address,
        port: target.port,
        servername: target.serverName,
        method: call.method,
        path: call.path,
        headers: { ...call.headers, host: target.serverName },
        signal: AbortSignal.any([signal, deadline]),
      });
      asked.end(call.body);
      const [answer] = (await once(asked, "response")) as [IncomingMessage];
      const { statusCode: status = 0, headers } = answer;
      return {
        status,
        etag: headers.etag,
        body: await readBody(target.pod, answer, call.limitBytes ?? BODY_LIMIT_BYTES),
      };
    } catch (cause) {
      if (cause instanceof AdminError) throw cause;
      if (deadline.aborted) throw new AdminError("TIMEOUT", { pod: target.pod, afterMs: this.#deadlineMs }, { cause });
      const reason = reasonOf(cause);
      throw new AdminError(codeOf(reason), { pod: target.pod, reason }, { cause });
    }
  }

  #agent(): Agent {
    const credentials = this.#credentials();
    if (credentials === undefined) throw new AdminError("NO_CREDENTIALS", {});
    if (this.#current?.from === credentials) return this.#current.agent;
    // Calls under way end on connections of the agent before; those lose their idle ones by themselves.
    const { key, certificate: cert, ca } = credentials;
    const agent = new Agent({
      // Made once: a context for each connection costs as much as its handshake, and memory until it is collected.
      secureContext: createSecureContext({ key, cert, ca, minVersion: "TLSv1.3" }),
      maxCachedSessions: SESSIONS,
      keepAlive: true,
      timeout: KEEP_ALIVE_MS,
      maxSockets: 1, // of one pod
    });
    this.#current = { from: credentials, agent };
    return agent;
  }
}

interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: string;
}

interface Call {
  readonly method: "GET" | "PUT";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Of the answer; default {@link BODY_LIMIT_BYTES}. */
  readonly limitBytes?: number;
}

const PUSH_OUTCOMES: ReadonlyMap<number, PushOutcome> = new Map([
  [200, "taken"],
  [409, "not-newer"],
  [422, "refused"],
]);

async function readBody(pod: string, body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > limitBytes) throw new AdminError("TOO_LARGE", { pod, limitBytes });
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // fails the schema, which says so
  }
}

/** Of OpenSSL and of Node's own checks: <https://nodejs.org/api/tls.html#x509-certificate-error-codes>. */
const TLS_REASON = /^(ERR_(TLS|SSL)_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_(CA|PURPOSE))|^EPROTO$/;
/** The other side went away, or does not speak HTTP. */
const CUT_REASON = /^(ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE|HPE_.*)$/;

function codeOf(reason: string): "TLS_FAILED" | "CUT" | "UNREACHABLE" {
  if (TLS_REASON.test(reason)) return "TLS_FAILED";
  return CUT_REASON.test(reason) ? "CUT" : "UNREACHABLE";
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "unknown";
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
}
