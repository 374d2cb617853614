/** What a stored file is called when it is given back: type and name by its bytes, never by the name its sender gave. */
import type { BlobInfo } from "../archive/archive.ts";

const PLAIN = {
  warc: { type: "application/warc", suffix: ".warc" },
  arc: { type: "application/x-internet-archive", suffix: ".arc" },
  unknown: { type: "application/octet-stream", suffix: ".warc" },
} as const;
const COMPRESSED = {
  gzip: { type: "application/gzip", suffix: ".gz" },
  zstd: { type: "application/zstd", suffix: ".zst" },
} as const;

export const DOWNLOAD_TYPES = [...Object.values(PLAIN), ...Object.values(COMPRESSED)].map(({ type }) => type);

export function downloadHeaders({ hash, format, compression }: Pick<BlobInfo, "hash" | "format" | "compression">) {
  const plain = PLAIN[format];
  const outer = compression === "none" ? { type: plain.type, suffix: "" } : COMPRESSED[compression];
  return {
    "content-type": outer.type,
    "content-disposition": `attachment; filename="${hash}${plain.suffix}${outer.suffix}"`,
  };
}
