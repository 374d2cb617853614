/**
 * Records of a compressed file, one member at a time. A failure stays inside its member; reading goes on at the next
 * member that holds a record. A member may hold one record (as it should), several, or the whole file.
 */
import type { SourceWindow } from "./byte-source.ts";
import { MemberSearch } from "./damage-search.ts";
import { DecodedStream } from "./decoded-stream.ts";
import type { RecordHead } from "./headers.ts";
import { type MemberCodec, MemberDamage, type MemberOutcome } from "./members.ts";
import { BLOCK_CUT, type OpenPlace, type OpenRecord, openRecord } from "./open-record.ts";
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
  if (member.kind === "streamed") return yield* readStreamed(member, offset);
  const pass = new MemberPass(DecodedStream.ofBytes(member.bytes), { offset, length: member.length });
  yield* recordsIn(pass);
  return { next: offset + member.length, readBytes: member.length, reason: pass.problem };
}

type Streamed = Extract<MemberOutcome, { kind: "streamed" }>;

async function* readStreamed({ chunks, member }: Streamed, offset: number): AsyncGenerator<ArchiveEntry, MemberResult> {
  const pass = new MemberPass(DecodedStream.ofChunks(chunks, 0), { offset, length: 0 });
  try {
    yield* recordsIn(pass);
    while ((await pass.stream.take(1 << 20)) !== undefined);
    const [place] = pass.places;
    if (pass.places.length === 1 && place !== undefined) place.length = member.length;
    return { next: offset + member.length, readBytes: member.read, reason: pass.problem };
  } catch (error) {
    if (error instanceof MemberDamage) return lost(error.message, member.read);
    throw error;
  } finally {
    await pass.stream.close();
  }
}

async function* recordsIn(pass: MemberPass): AsyncGenerator<ArchiveEntry, void> {
  for (let opened = await pass.next(); opened !== undefined; opened = await pass.next()) {
    yield { kind: "record", record: opened.record };
    if (await opened.finish()) continue;
    pass.problem ??= BLOCK_CUT;
    return;
  }
}

/** One way through the decoded bytes of a member. */
class MemberPass {
  readonly stream: DecodedStream;
  readonly #member: { readonly offset: number; readonly length: number };
  /** Of the first two records: more are not asked for. */
  readonly places: OpenPlace[] = [];
  /** The first thing that was wrong; `undefined` while nothing was. */
  problem: string | undefined;

  constructor(stream: DecodedStream, member: { readonly offset: number; readonly length: number }) {
    this.stream = stream;
    this.#member = member;
  }

  /** @returns `undefined` at the end, or when nothing more can be read */
  async next(): Promise<OpenRecord | undefined> {
    do {
      await skipEndMark(this.stream);
      if (this.stream.aheadBytes === 0) {
        if (this.places.length === 0) this.problem ??= "empty member";
        return undefined;
      }
      const skip = this.stream.position;
      const outcome = await readHead(this.stream);
      if ("head" in outcome) return this.#open(outcome.head, { ...this.#member, skip });
      this.problem ??= this.places.length === 0 ? outcome.reason : "stray bytes after record";
    } while (await seekRecord(this.stream));
    return undefined;
  }

  async #open(head: RecordHead, place: OpenPlace): Promise<OpenRecord | undefined> {
    const opened = await openRecord(this.stream, head, place);
    if (opened === undefined) this.problem ??= BLOCK_CUT;
    else if (this.places.length < 2) this.places.push(place);
    return opened;
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
