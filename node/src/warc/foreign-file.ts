/** Names files that people take for archives, by their first bytes, and says what to do with them. */
import { constants, gunzipSync } from "node:zlib";
import type { ByteSource } from "./record.ts";

/** Enough for the name in a tar header, and for a gzip header inside a gzip member. */
const HEAD_BYTES = 4_096;
const TAR_MAGIC_AT = 257;
const UNPACK_TAR = "unpack it and give the WARC files in it: tar -xf FILE";

interface Kind {
  readonly advice: string;
  readonly is: (bytes: Buffer) => boolean;
}

const startsWith =
  (...magic: readonly number[]) =>
  (bytes: Buffer): boolean =>
    bytes.subarray(0, magic.length).equals(Buffer.from(magic));

const isTar = (bytes: Buffer): boolean => bytes.toString("latin1", TAR_MAGIC_AT, TAR_MAGIC_AT + 5) === "ustar";
const isGzip = startsWith(0x1f, 0x8b, 8);

const KINDS: readonly Kind[] = [
  {
    is: (bytes) => isZip(bytes) && /(?:archive|indexes|pages)\/|datapackage/.test(bytes.toString("latin1")),
    advice: "this is a WACZ file: unpack it and give the WARC files in its folder archive/: unzip FILE 'archive/*'",
  },
  { is: isZip, advice: "this is a ZIP file: if it is a WACZ, unpack it and give the WARC files in it: unzip FILE" },
  { is: isTar, advice: `this is a tar file: ${UNPACK_TAR}` },
  { is: startsWith(0x42, 0x5a, 0x68), advice: "this is a bzip2 file: unpack it first: bunzip2 FILE" },
  { is: startsWith(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), advice: "this is an xz file: unpack it first: unxz FILE" },
  { is: startsWith(0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c), advice: "this is a 7z file: unpack it first: 7z x FILE" },
  { is: (bytes) => isGzip(inflated(bytes)), advice: "this file was gzipped twice: unpack it once: gunzip FILE" },
  { is: (bytes) => isTar(inflated(bytes)), advice: `this is a gzipped tar file: ${UNPACK_TAR}` },
];

function isZip(bytes: Buffer): boolean {
  return startsWith(0x50, 0x4b, 3, 4)(bytes);
}

/** The first bytes inside a gzip member; empty for anything else. */
function inflated(bytes: Buffer): Buffer {
  if (!isGzip(bytes)) return Buffer.alloc(0);
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: HEAD_BYTES * 1_024 });
  } catch {
    return Buffer.alloc(0);
  }
}

/** @returns what a file without a record is, and what to do; `undefined` when its first bytes do not tell */
export async function adviceOn(source: ByteSource): Promise<string | undefined> {
  if (source.size === 0) return "empty file: nothing was written to it, or its copy failed; fetch it again";
  const bytes = Buffer.from(await source.read(0, HEAD_BYTES));
  return KINDS.find(({ is }) => is(bytes))?.advice;
}
