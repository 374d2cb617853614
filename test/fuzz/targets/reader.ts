/**
 * Archive files, WARC and ARC in any compression: everything the archive does with a file. Damage and typed refusals are fine; any
 * other error, a capture or a damaged range outside the file, or ranges that overlap, are findings.
 */
import { cdxjLine } from "../../../node/src/cdx/cdxj.ts";
import { readCaptures } from "../../../node/src/cdx/read-captures.ts";
import { memorySource } from "../../../node/src/warc/byte-source.ts";
import { WarcError } from "../../../node/src/warc/errors.ts";
import { decodeContent, openPayload } from "../../../node/src/warc/payload.ts";
import type { CaptureRow, DamagedRange, RecordPlace } from "../../../node/src/warc/record.ts";
import { readRecordAt } from "../../../node/src/warc/record-reader.ts";
import type { FuzzTarget } from "../target.ts";
import { seedCorpus } from "./reader-seeds.ts";

const WORDS = [
  "WARC/1.0\r\n",
  "WARC/1.1\r\nContent-Length: 0\r\n\r\n",
  "\r\n\r\n",
  "\n\n",
  "\r\n ",
  "Content-Length: 3\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Content-Encoding: gzip\r\n",
  "Content-Encoding: br, zstd, deflate\r\n",
  "WARC-Type: request\r\n",
  "WARC-Payload-Digest: sha1:AAAA\r\n",
  "WARC-Target-URI: http://[::1]:99999/%%%zz?&&=\r\n",
  "HTTP/1.1 999 \r\n",
  "5;a=b\r\nhello\r\n",
  Buffer.of(0x1f, 0x8b, 8, 0),
  Buffer.of(0x28, 0xb5, 0x2f, 0xfd),
  Buffer.of(0x5d, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff),
  "http://x/ 1.2.3.4 20260102030405 text/html 4\n",
  '{"a":[{"b":null}]}',
  "%25",
];

/** Captures opened again by their place, per input. */
const MAX_OPENED = 6;
const MAX_BODY_BYTES = 1 << 20;

export const reader: FuzzTarget = {
  watched: /\/node\/src\/(?:warc|cdx)\//,
  seeds: seedCorpus,
  words: WORDS,
  maxCpuMs: 5_000,
  exercise: exerciseReader,
};

async function exerciseReader(bytes: Uint8Array): Promise<void> {
  const places: RecordPlace[] = [];
  const row = (found: CaptureRow): void => {
    if (/[\n\r]/.test(cdxjLine(found, "fuzz.warc"))) throw new Error("an index line with a line end in it");
    if (places.length < MAX_OPENED) places.push(found.place);
  };
  const report = await readCaptures(memorySource(bytes), { row });
  checkRanges(report.damaged, bytes.length);
  for (const place of places) {
    if (place.offset + place.length > bytes.length)
      throw new Error(`a capture beyond the end: ${JSON.stringify(place)}`);
    await readBody(bytes, place);
  }
}

function checkRanges(damaged: readonly DamagedRange[], size: number): void {
  let end = 0;
  for (const range of damaged) {
    const fits = range.offset >= end && range.length > 0 && range.offset + range.length <= size;
    if (!fits) throw new Error(`a damaged range that cannot be: ${JSON.stringify({ range, end, size })}`);
    end = range.offset + range.length;
  }
}

async function readBody(bytes: Uint8Array, place: RecordPlace): Promise<void> {
  try {
    await using opened = await readRecordAt(memorySource(bytes), place);
    const body = decodeContent(await openPayload(opened.record), MAX_BODY_BYTES);
    for await (const chunk of body) if (chunk.length > MAX_BODY_BYTES) throw new Error("a chunk beyond the cap");
  } catch (error) {
    if (!(error instanceof WarcError)) throw error;
  }
}
