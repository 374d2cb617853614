/**
 * Records of a compressed file, one member at a time. A failure stays inside its member; reading goes on at the next
 * member that holds a record. A member may hold one record (as it should), several, or the whole file.
 */
import type { SourceWindow } from "./byte-source.ts";
import { MemberSearch } from "./damage-search.ts";
import { DecodedStream, fillFor, type Steps, withoutWaiting } from "./decoded-stream.ts";
import type { RecordHead } from "./headers.ts";
import {
  type MemberCodec,
  MemberDamage,
  type MemberOutcome,
  type MemberRun,
  RUN_BYTES,
  WHOLE_FILE,
  type WholeMember,
} from "./members.ts";
import { BLOCK_CUT, type OpenPlace, type OpenRecord, openRecord } from "./open-record.ts";
import type { ArchiveEntry } from "./record.ts";
import { readHead, START_BYTES, skipEndMark, startsWithWarc } from "./record-head.ts";

const LF = 0x0a;
/** Decoded bytes searched for a next record inside one member, before the rest of it is given up. */
const MAX_SEARCH_BYTES = 64 << 20;

/**
 * Entries in the order of the file, in groups that take no waiting inside: a promise for each of many small records costs
 * more than reading it.
 */
export async function* readMemberRecords(
  window: SourceWindow,
  codec: MemberCodec,
): AsyncGenerator<Iterable<ArchiveEntry>, void> {
  const search = new MemberSearch(window, codec);
  const runs = new Runs(window, codec);
  for (let offset = 0; offset < window.size; ) {
    const run = await runs.at(offset);
    if (run.members.length > 0) yield entriesOfRun(run.members, offset);
    offset = run.members.length > 0 ? offset + run.length : yield* readSingle(window, codec, search, offset);
  }
}

const NO_RUN: MemberRun = { members: [], length: 0 };

/** Where no run could be made, members are read one by one to the end of what was tried: nothing is tried twice. */
class Runs {
  readonly #window: SourceWindow;
  readonly #codec: MemberCodec;
  #triedUpTo = 0;

  constructor(window: SourceWindow, codec: MemberCodec) {
    this.#window = window;
    this.#codec = codec;
  }

  async at(offset: number): Promise<MemberRun> {
    if (this.#codec.openRun === undefined || offset < this.#triedUpTo) return NO_RUN;
    const run = this.#codec.openRun(await this.#window.view(offset, RUN_BYTES));
    this.#triedUpTo = offset + run.length;
    return run;
  }
}

/** @returns where to go on */
async function* readSingle(
  window: SourceWindow,
  codec: MemberCodec,
  search: MemberSearch,
  offset: number,
): AsyncGenerator<Iterable<ArchiveEntry>, number> {
  const outcome = await codec.open(window, offset, WHOLE_FILE);
  if (outcome.kind === "skipped") return offset + outcome.length;
  if (outcome.kind === "whole") {
    yield entriesOf(outcome, offset);
    return offset + outcome.length;
  }
  const result = outcome.kind === "damaged" ? lost(outcome.reason, 1) : yield* readStreamed(outcome, offset);
  const next = result.next ?? (await search.after(offset, result.readBytes));
  if (result.reason !== undefined) yield [damaged(offset, next - offset, result.reason)];
  return next;
}

function* entriesOfRun(members: readonly WholeMember[], offset: number): Generator<ArchiveEntry, void> {
  let at = offset;
  for (const member of members) {
    yield* entriesOf(member, at);
    at += member.length;
  }
}

function* entriesOf({ bytes, length }: WholeMember, offset: number): Generator<ArchiveEntry, void> {
  const pass = new MemberPass(DecodedStream.ofBytes(bytes), { offset, length });
  for (let opened = withoutWaiting(pass.next()); opened !== undefined; opened = withoutWaiting(pass.next())) {
    yield { kind: "record", record: opened.record };
  }
  if (pass.problem !== undefined) yield damaged(offset, length, pass.problem);
}

function damaged(offset: number, length: number, reason: string): ArchiveEntry {
  return { kind: "damage", damage: { offset, length, reason } };
}

interface StreamedResult {
  /** Where the next member starts; `undefined` when this one's end is not known. */
  readonly next: number | undefined;
  readonly readBytes: number;
  readonly reason: string | undefined;
}

function lost(reason: string, readBytes: number): StreamedResult {
  return { next: undefined, readBytes, reason };
}

type Streamed = Extract<MemberOutcome, { kind: "streamed" }>;

async function* readStreamed(
  { chunks, member }: Streamed,
  offset: number,
): AsyncGenerator<Iterable<ArchiveEntry>, StreamedResult> {
  const pass = new MemberPass(DecodedStream.ofChunks(chunks, 0), { offset, length: 0 });
  try {
    yield* streamedRecords(pass);
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

async function* streamedRecords(pass: MemberPass): AsyncGenerator<Iterable<ArchiveEntry>, void> {
  for (;;) {
    const opened = await fillFor(pass.stream, pass.next());
    if (opened === undefined) return;
    yield [{ kind: "record", record: opened.record }];
    if ((await opened.finish?.()) !== false) continue;
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
  *next(): Steps<OpenRecord | undefined> {
    do {
      yield* skipEndMark(this.stream);
      if (this.stream.aheadBytes === 0) {
        if (this.places.length === 0) this.problem ??= "empty member";
        return undefined;
      }
      const skip = this.stream.position;
      const outcome = yield* readHead(this.stream);
      if ("head" in outcome) return yield* this.#open(outcome.head, { ...this.#member, skip });
      this.problem ??= this.places.length === 0 ? outcome.reason : "stray bytes after record";
    } while (yield* seekRecord(this.stream));
    return undefined;
  }

  *#open(head: RecordHead, place: OpenPlace): Steps<OpenRecord | undefined> {
    const opened = yield* openRecord(this.stream, head, place);
    if (opened === undefined) this.problem ??= BLOCK_CUT;
    else if (this.places.length < 2) this.places.push(place);
    return opened;
  }
}

/** Moves to the next WARC header that starts a line. */
function* seekRecord(stream: DecodedStream): Steps<boolean> {
  stream.skip(1);
  for (let searched = 0; searched < MAX_SEARCH_BYTES; ) {
    if (stream.lacks(START_BYTES)) yield START_BYTES;
    const line = stream.ahead.indexOf(LF);
    const step = line === -1 ? stream.aheadBytes : line + 1;
    if (step === 0) return false;
    stream.skip(step);
    searched += step;
    if (line !== -1 && (yield* isAtWarcHead(stream))) return true;
  }
  return false;
}

function* isAtWarcHead(stream: DecodedStream): Steps<boolean> {
  if (stream.lacks(START_BYTES)) yield START_BYTES;
  return startsWithWarc(stream.ahead);
}
