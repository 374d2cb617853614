/** What a stored file is called when it is given back: type and name by its bytes, never by the name its sender gave. */
import type { BlobInfo } from "../archive/archive.ts";
import { fileName } from "../contract/index.ts";

const PLAIN = {
  warc: "application/warc",
  arc: "application/x-internet-archive",
  unknown: "application/octet-stream",
} as const;
const COMPRESSED = { gzip: "application/gzip", zstd: "application/zstd" } as const;

export const DOWNLOAD_TYPES = [...Object.values(PLAIN), ...Object.values(COMPRESSED)];

export function downloadHeaders(blob: Pick<BlobInfo, "hash" | "format" | "compression">) {
  const { format, compression } = blob;
  return {
    "content-type": compression === "none" ? PLAIN[format] : COMPRESSED[compression],
    "content-disposition": `attachment; filename="${fileName(blob.hash, blob)}"`,
  };
}
