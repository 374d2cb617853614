/**
 * Records of a compressed file, one member at a time. A failure stays inside its member; reading goes on at the next
 * member that holds a record. A member may hold one record (as it should), several, or the whole file.
 */
import type { SourceWindow } from "./byte-source.ts";
import { MemberSearch } from "./damage-search.ts";
import { DecodedStream, fillFor, type Steps, withoutWaiting } from "./decoded-stream.ts";
import type { RecordHead } from "./headers.ts";
import { MemberChain } from "./member-chain.ts";
import { type MemberCodec, MemberDamage, type MemberRun, RUN_BYTES, WHOLE_FILE, type WholeMember } from "./members.ts";
import { BLOCK_CUT, type OpenPlace, type OpenRecord, openRecord, openShort } from "./open-record.ts";
import type { ArchiveEntry } from "./record.ts";
import { HEADER_CUT, readHead, START_BYTES, skipEndMark, startsRecord, startsWithWarc } from "./record-head.ts";

const CR = 0x0d;
const LF = 0x0a;
/** Decoded bytes searched for a next record inside one member, before the rest of it is given up. */
const MAX_SEARCH_BYTES = 64 << 20;

/**
 * Entries in the order of the file, in groups that take no waiting inside: a promise for each of many small records costs
 * more than reading it.
 *
 * @returns where a plain record follows a member; the file's size if none does
 */
export async function* readMemberRecords(
  window: SourceWindow,
  codec: MemberCodec,
  from: number,
): AsyncGenerator<Iterable<ArchiveEntry>, number> {
  const file: MemberFile = { window, codec, search: new MemberSearch(window, codec) };
  const runs = new Runs(window, codec);
  for (let offset = from; offset < window.size; ) {
    const run = await runs.at(offset);
    if (run.members.length > 0) offset = yield* readWhole(file, run.members, offset);
    else {
      const plainAt = await plainRecordAt(file, offset);
      if (plainAt !== undefined) return plainAt;
      offset = yield* readSingle(file, offset);
    }
  }
  return window.size;
}

interface MemberFile {
  readonly window: SourceWindow;
  readonly codec: MemberCodec;
  readonly search: MemberSearch;
}

/** Of a file put together from compressed and plain ones. */
async function plainRecordAt({ window, codec }: MemberFile, offset: number): Promise<number | undefined> {
  const start = await window.view(offset, START_BYTES);
  if (codec.startsAt(start)) return undefined;
  const blank = start.findIndex((byte) => byte !== CR && byte !== LF);
  return blank !== -1 && startsRecord(start.subarray(blank)) ? offset + blank : undefined;
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
async function* readSingle(file: MemberFile, offset: number): AsyncGenerator<Iterable<ArchiveEntry>, number> {
  const outcome = await file.codec.open(file.window, offset, WHOLE_FILE);
  if (outcome.kind === "skipped") return offset + outcome.length;
  if (outcome.kind === "whole") return yield* readWhole(file, [outcome], offset);
  if (outcome.kind === "streamed") return yield* readChain(file, offset, 0);
  const next = await file.search.after(offset, 1);
  yield [damaged(offset, next - offset, outcome.reason)];
  return next;
}

/** A record that is not all in its member: of the member, and of the record in there. */
interface CutRecord {
  readonly offset: number;
  readonly skip: number;
}

/** Members in memory, one behind the other. @returns where to go on */
async function* readWhole(
  file: MemberFile,
  members: readonly WholeMember[],
  offset: number,
): AsyncGenerator<Iterable<ArchiveEntry>, number> {
  const cut: CutRecord[] = [];
  yield entriesOf(members, offset, cut);
  const [first] = cut;
  if (first !== undefined) return yield* readChain(file, first.offset, first.skip);
  return offset + members.reduce((sum, { length }) => sum + length, 0);
}

/** Ends at the first record that is cut. */
function* entriesOf(members: readonly WholeMember[], from: number, cut: CutRecord[]): Generator<ArchiveEntry, void> {
  let offset = from;
  for (const { bytes, length } of members) {
    const at = offset;
    const pass = new MemberPass(DecodedStream.ofBytes(bytes), (skip) => ({ offset: at, length, skip }), false);
    for (let opened = withoutWaiting(pass.next()); opened !== undefined; opened = withoutWaiting(pass.next())) {
      yield { kind: "record", record: opened.record };
    }
    if (pass.cutAt !== undefined) {
      cut.push({ offset, skip: pass.cutAt });
      return;
    }
    if (pass.problem !== undefined) yield damaged(offset, length, pass.problem);
    offset += length;
  }
}

function damaged(offset: number, length: number, reason: string): ArchiveEntry {
  return { kind: "damage", damage: { offset, length, reason } };
}

/**
 * The records of a member, and of those that go on with what it ends with.
 *
 * @param skip - decoded bytes at the start of the first one, already read
 * @returns where to go on
 */
async function* readChain(
  { window, codec, search }: MemberFile,
  offset: number,
  skip: number,
): AsyncGenerator<Iterable<ArchiveEntry>, number> {
  const chain = new MemberChain(window, codec, offset, WHOLE_FILE);
  const placeOf = (position: number): OpenPlace => ({ ...chain.placeOf(position), length: 0 });
  const pass = new MemberPass(DecodedStream.ofChunks(chain.chunks(), 0), placeOf, true);
  let failed: string | undefined;
  try {
    await pass.stream.pass(skip);
    yield* streamedRecords(pass);
    while ((await pass.stream.take(1 << 20)) !== undefined);
  } catch (error) {
    if (!(error instanceof MemberDamage)) throw error;
    failed = error.message;
  } finally {
    await pass.stream.close();
  }
  const [place] = pass.places;
  if (place !== undefined && pass.places.length === 1) place.length = chain.lengthUpTo(pass.lastEnd);
  const next = failed === undefined ? chain.offset : await search.after(chain.offset, chain.readBytes);
  const from = failed === undefined || pass.problem !== undefined ? offset : chain.offset;
  const reason = pass.problem ?? failed;
  if (reason !== undefined) yield [damaged(from, next - from, reason)];
  return next;
}

async function* streamedRecords(pass: MemberPass): AsyncGenerator<Iterable<ArchiveEntry>, void> {
  for (;;) {
    const opened = await fillFor(pass.stream, pass.next());
    if (opened === undefined) return;
    yield [{ kind: "record", record: opened.record }];
    const isWhole = (await opened.finish?.()) !== false;
    pass.lastEnd = pass.stream.position;
    if (isWhole) continue;
    pass.problem ??= BLOCK_CUT;
    return;
  }
}

/** One way through the decoded bytes of members. */
class MemberPass {
  readonly stream: DecodedStream;
  readonly #placeOf: (position: number) => OpenPlace;
  /** Nothing comes behind these bytes: what is cut is read as far as it goes. */
  readonly #isAll: boolean;
  /** Of the first two records: more are not asked for. */
  readonly places: OpenPlace[] = [];
  /** The first thing that was wrong; `undefined` while nothing was. */
  problem: string | undefined;
  /** Where a record starts that is not all there. */
  cutAt: number | undefined;
  /** Behind the last record that was taken whole. */
  lastEnd = 0;

  constructor(stream: DecodedStream, placeOf: (position: number) => OpenPlace, isAll: boolean) {
    this.stream = stream;
    this.#placeOf = placeOf;
    this.#isAll = isAll;
  }

  /** @returns `undefined` at the end, or when nothing more can be read */
  *next(): Steps<OpenRecord | undefined> {
    do {
      yield* skipEndMark(this.stream);
      if (this.stream.aheadBytes === 0) return this.#end();
      const start = this.stream.position;
      const outcome = yield* readHead(this.stream);
      if ("head" in outcome) return yield* this.#open(outcome.head, start);
      if (!this.#isAll && isHeadStart(this.stream.ahead, outcome.reason)) {
        this.cutAt = start;
        return undefined;
      }
      this.problem ??= this.places.length === 0 ? outcome.reason : "stray bytes after record";
    } while (yield* seekRecord(this.stream));
    return undefined;
  }

  #end(): undefined {
    if (this.places.length === 0) this.problem ??= "empty member";
    return undefined;
  }

  *#open(head: RecordHead, start: number): Steps<OpenRecord | undefined> {
    const place = this.#placeOf(start);
    const opened = yield* openRecord(this.stream, head, place);
    const given = opened ?? (this.#isAll ? openShort(this.stream, head, place) : undefined);
    if (opened === undefined && this.#isAll) this.problem ??= BLOCK_CUT;
    if (given === undefined && !this.#isAll) this.cutAt = start;
    if (given !== undefined && this.places.length < 2) this.places.push(place);
    return given;
  }
}

/** What may be the beginning of a header whose rest is in the next member. */
function isHeadStart(bytes: Uint8Array, reason: string): boolean {
  if (reason === HEADER_CUT) return true;
  return bytes.length < WARC_MAGIC.length && WARC_MAGIC.startsWith(Buffer.from(bytes).toString("latin1").toLowerCase());
}
const WARC_MAGIC = "warc/1";

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
