/** What a stored file is called by its bytes, where the name its sender gave is not known or not to be trusted. Pure. */

export interface StoredForm {
  readonly format: "warc" | "arc" | "unknown";
  readonly compression: "none" | "gzip" | "zstd";
}

const FORMATS = { warc: ".warc", arc: ".arc", unknown: ".warc" } as const;
const COMPRESSIONS = { none: "", gzip: ".gz", zstd: ".zst" } as const;

/** `HASH.warc.gz` and the like: tools choose how to read a file by how its name ends. */
export function fileName(hash: string, { format, compression }: StoredForm): string {
  return `${hash}${FORMATS[format]}${COMPRESSIONS[compression]}`;
}
