/** Exit codes of `archive-node`. Add, never renumber: runbooks and the operator match on them. */
export const EXIT_CODES = {
  ok: 0,
  /** `warc check`: at least one damaged record. Elsewhere: a command that is not carried out, or an unexpected failure. */
  damaged: 1,
  /** `warc check`: a file could not be read. Elsewhere: bad usage or configuration; the message names the field. */
  usage: 2,
  /** The data folder cannot be used: read-only, full, wrong owner, or locked by another process. */
  dataUnusable: 3,
  /** An index file is damaged; `archive-node rebuild` makes it anew from the blobs. */
  indexDamaged: 4,
  /** Ctrl-C ended `warc check` or `warc index` before they were done; shells say the same of a program it killed. */
  interrupted: 130,
} as const;
