/**
 * Records of a compressed file, one member at a time. A failure stays inside its member; reading goes on at the next
 * member that holds a record. A member may hold one record (as it should), several, or the whole file.
 */
import type { SourceWindow } from "./byte-source.ts";
import { MemberSearch } from "./damage-search.ts";
import { DecodedStream } from "./decoded-stream.ts";
import { type MemberCodec, MemberDamage, type MemberOutcome } from "./members.ts";
import { BLOCK_CUT, type OpenPlace, openRecord } from "./open-record.ts";
import type { ArchiveEntry } from "./record.ts";
import { readHead, START_BYTES, skipEndMark, startsWithWarc } from "./record-head.ts";

const LF = 0x0a;
/** Decoded bytes searched for a next record inside one member, before the rest of it is given up. */
const MAX_SEARCH_BYTES = 64 << 20;

export async function* readMemberRecords(window: SourceWindow, codec: MemberCodec): AsyncGenerator<ArchiveEntry, void> {
  const search = new MemberSearch(window, codec);
  for (let offset = 0; offset < window.size; ) {
    const outcome = await codec.open(window, offset);
    if (outcome.kind === "skipped") {
      offset += outcome.length;
      continue;
    }
    const result = outcome.kind === "damaged" ? lost(outcome.reason, 1) : yield* readMember(outcome, offset);
    const next = result.next ?? (await search.after(offset, result.readBytes));
    if (result.reason !== undefined) {
      yield { kind: "damage", damage: { offset, length: next - offset, reason: result.reason } };
    }
    offset = next;
  }
}

interface MemberResult {
  /** Where the next member starts; `undefined` when this one's end is not known. */
  readonly next: number | undefined;
  readonly readBytes: number;
  readonly reason: string | undefined;
}

function lost(reason: string, readBytes: number): MemberResult {
  return { next: undefined, readBytes, reason };
}

type ReadableMember = Extract<MemberOutcome, { kind: "whole" | "streamed" }>;

async function* readMember(member: ReadableMember, offset: number): AsyncGenerator<ArchiveEntry, MemberResult> {
  if (member.kind === "whole") {
    const places: OpenPlace[] = [];
    const reason = yield* recordsIn(DecodedStream.ofBytes(member.bytes), { offset, length: member.length }, places);
    return { next: offset + member.length, readBytes: member.length, reason };
  }
  const stream = DecodedStream.ofChunks(member.chunks, 0);
  const places: OpenPlace[] = [];
  try {
    const reason = yield* recordsIn(stream, { offset, length: 0 }, places);
    while ((await stream.take(1 << 20)) !== undefined);
    const [place] = places;
    if (places.length === 1 && place !== undefined) place.length = member.member.length;
    return { next: offset + member.member.length, readBytes: member.member.read, reason };
  } catch (error) {
    if (error instanceof MemberDamage) return lost(error.message, member.member.read);
    throw error;
  } finally {
    await stream.close();
  }
}

/** @returns what was wrong inside the member, `undefined` when nothing was. Keeps the first two `places`. */
async function* recordsIn(
  stream: DecodedStream,
  member: { readonly offset: number; readonly length: number },
  places: OpenPlace[],
): AsyncGenerator<ArchiveEntry, string | undefined> {
  let problem: string | undefined;
  for (;;) {
    await skipEndMark(stream);
    if (stream.aheadBytes === 0) return problem ?? (places.length === 0 ? "empty member" : undefined);
    const place: OpenPlace = { offset: member.offset, length: member.length, skip: stream.position };
    const outcome = await readHead(stream);
    if (!("head" in outcome)) {
      problem ??= places.length === 0 ? outcome.reason : "stray bytes after record";
      if (!(await seekRecord(stream))) return problem;
      continue;
    }
    const opened = await openRecord(stream, outcome.head, place);
    if (opened === undefined) return problem ?? BLOCK_CUT;
    if (places.length < 2) places.push(place);
    yield { kind: "record", record: opened.record };
    if (!(await opened.finish())) return problem ?? BLOCK_CUT;
  }
}

/** Moves to the next WARC header that starts a line. */
async function seekRecord(stream: DecodedStream): Promise<boolean> {
  stream.skip(1);
  for (let searched = 0; searched < MAX_SEARCH_BYTES; ) {
    await stream.fill(START_BYTES);
    const ahead = stream.ahead;
    const line = ahead.indexOf(LF);
    const step = line === -1 ? ahead.length : line + 1;
    if (step === 0) return false;
    stream.skip(step);
    searched += step;
    if (line === -1) continue;
    await stream.fill(START_BYTES);
    if (startsWithWarc(stream.ahead)) return true;
  }
  return false;
}
