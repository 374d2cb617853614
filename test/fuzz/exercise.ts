/**
 * What the fuzzer does with an input: everything the archive does with a file. Damage and typed refusals are fine; any
 * other error, a capture or a damaged range outside the file, or ranges that overlap, are findings.
 */
import { cdxjLine } from "../../node/src/cdx/cdxj.ts";
import { readCaptures } from "../../node/src/cdx/read-captures.ts";
import { memorySource } from "../../node/src/warc/byte-source.ts";
import { WarcError } from "../../node/src/warc/errors.ts";
import { decodeContent, openPayload } from "../../node/src/warc/payload.ts";
import type { CaptureRow, DamagedRange, RecordPlace } from "../../node/src/warc/record.ts";
import { readRecordAt } from "../../node/src/warc/record-reader.ts";

/** Captures opened again by their place, per input. */
const MAX_OPENED = 6;
const MAX_BODY_BYTES = 1 << 20;

export async function exerciseReader(bytes: Uint8Array): Promise<void> {
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
