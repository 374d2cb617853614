/** Failures of talking to a pod's admin port, and what each means to a person. Codes are log-stable: add, never rename. */

export interface AdminErrorDetails {
  /** No connection: refused, no route, or no answer to the dialling. */
  readonly UNREACHABLE: { readonly pod: string; readonly reason: string };
  /** The two sides do not accept each other's certificates. */
  readonly TLS_FAILED: { readonly pod: string; readonly reason: string };
  readonly TIMEOUT: { readonly pod: string; readonly afterMs: number };
  /** The connection ended before the answer did. */
  readonly CUT: { readonly pod: string; readonly reason: string };
  readonly TOO_LARGE: { readonly pod: string; readonly limitBytes: number };
  readonly BAD_ANSWER: { readonly pod: string; readonly status: number; readonly reason: string };
  /** The operator has no certificate to show yet. */
  readonly NO_CREDENTIALS: Record<never, never>;
}

export type AdminErrorCode = keyof AdminErrorDetails;

export class AdminError<C extends AdminErrorCode = AdminErrorCode> extends Error {
  override readonly name = "AdminError";
  readonly code: C;
  readonly details: AdminErrorDetails[C];

  constructor(code: C, details: AdminErrorDetails[C], options?: ErrorOptions) {
    super(`${code} ${JSON.stringify(details)}`, options);
    this.code = code;
    this.details = details;
  }
}

/** What happened, after the words "the admin port of pod x", and what to do about it. The same text for the same cause. */
const SENTENCES: { readonly [C in AdminErrorCode]: (details: AdminErrorDetails[C]) => string } = {
  UNREACHABLE: ({ reason }) => `cannot be reached (${reason}); check the pod's log and NetworkPolicies`,
  TLS_FAILED: ({ reason }) =>
    `and the operator refuse each other's certificates (${reason}); a renewed one is taken within two minutes, delete the pod if this lasts`,
  TIMEOUT: ({ afterMs }) => `does not answer within ${afterMs / 1_000} s; check the pod's log, CPU and disk`,
  CUT: ({ reason }) => `closes the connection before its answer is complete (${reason}); check the pod's log`,
  TOO_LARGE: ({ limitBytes }) =>
    `answers with more than ${limitBytes} bytes; check that spec.image is an archive node of this release`,
  BAD_ANSWER: ({ status, reason }) => {
    if (status === FORBIDDEN) return "refuses the operator's certificate; delete the pod if this lasts two minutes";
    const next =
      status >= SERVER_ERROR ? "check the pod's log" : "check that spec.image is an archive node of this release";
    return `answers ${status} (${reason}); ${next}`;
  },
  NO_CREDENTIALS: () => "is not asked: the operator has no certificate yet; see the Stalled condition",
};
const FORBIDDEN = 403;
const SERVER_ERROR = 500;

/** A sentence part for a condition's message, to be put after the name of the pod. */
export function explain<C extends AdminErrorCode>({ code, details }: AdminError<C>): string {
  return SENTENCES[code](details);
}
