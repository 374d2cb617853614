/**
 * Reads one record's block once and says what indexes and checks need: HTTP head, digest outcome, digest of the payload,
 * the first bytes of a request's body.
 */
import { inspectHeld } from "./inspect-held.ts";
import { inspectStreamed } from "./inspect-streamed.ts";
import type { ArchiveRecord, InspectedRecord } from "./record.ts";

/**
 * A promise only for a block that must be waited for: most are held, and a promise for each costs more than the look.
 *
 * @throws {WarcError} `BLOCK_DAMAGED`, by the promise, when the block cannot be read to its end
 */
export function inspectRecord(record: ArchiveRecord): InspectedRecord | Promise<InspectedRecord> {
  const { bytes } = record.block;
  return bytes === undefined ? inspectStreamed(record) : inspectHeld(record, bytes);
}
