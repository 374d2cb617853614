/** Failures of starting a node. Codes are log-stable: add, never rename. Each maps to an exit code in `cli/`. */
export interface StartErrorDetails {
  /** The command line cannot be understood. */
  readonly BAD_USAGE: { readonly reason: string };
  /** The configuration file, a key file or a document is missing or wrong. */
  readonly BAD_CONFIG: { readonly file: string; readonly reason: string };
  /** The data folder is read-only, full, or belongs to someone else. */
  readonly DATA_UNUSABLE: { readonly path: string; readonly reason: string };
}
export type StartErrorCode = keyof StartErrorDetails;

const MESSAGES: { readonly [C in StartErrorCode]: (details: StartErrorDetails[C]) => string } = {
  BAD_USAGE: (details) => details.reason,
  BAD_CONFIG: (details) => `${details.file}: ${details.reason}`,
  DATA_UNUSABLE: (details) => `${details.path}: ${details.reason}`,
};

export class StartError<C extends StartErrorCode = StartErrorCode> extends Error {
  override readonly name = "StartError";
  readonly code: C;
  readonly details: StartErrorDetails[C];

  constructor(code: C, details: StartErrorDetails[C], options?: ErrorOptions) {
    super(MESSAGES[code](details), options);
    this.code = code;
    this.details = details;
  }
}
