/**
 * Members whose ends are not the ends of records, decoded one behind the other as one stream. It goes on only into a member
 * that does not start with a record: a record whose length is a lie never swallows the ones behind it.
 */
import type { SourceWindow } from "./byte-source.ts";
import { type MemberCodec, MemberDamage, type MemberOutcome, type MemoryLimits, PROBE_BYTES } from "./members.ts";

/** Where a member starts: in the file, and in the decoded bytes of the chain. */
interface Start {
  readonly offset: number;
  readonly position: number;
}

export class MemberChain {
  readonly #window: SourceWindow;
  readonly #codec: MemberCodec;
  readonly #limits: MemoryLimits;
  readonly #starts: Start[];
  #read = 0;

  constructor(window: SourceWindow, codec: MemberCodec, offset: number, limits: MemoryLimits) {
    this.#window = window;
    this.#codec = codec;
    this.#limits = limits;
    this.#starts = [{ offset, position: 0 }];
  }

  /** Of the member that is being decoded; behind the last one once all are read. */
  get offset(): number {
    return this.#starts.at(-1)?.offset ?? 0;
  }

  /** Stored bytes of that member which were looked at, once it failed. */
  get readBytes(): number {
    return this.#read;
  }

  /** Stored bytes of the first member when it holds all decoded bytes up to `position`; else 0. */
  lengthUpTo(position: number): number {
    const [first, second] = this.#starts;
    if (first === undefined || second === undefined || second.position < position) return 0;
    return second.offset - first.offset;
  }

  /** The member that holds a decoded byte, and the bytes before it in there. Positions must not go back. */
  placeOf(position: number): { readonly offset: number; readonly skip: number } {
    const start = this.#starts.findLast((each) => each.position <= position) ?? { offset: 0, position: 0 };
    return { offset: start.offset, skip: position - start.position };
  }

  /** @throws MemberDamage when a member that was begun cannot be decoded to its end */
  async *chunks(): AsyncGenerator<Uint8Array, void> {
    let position = 0;
    for (let offset = this.offset, isFirst = true; isFirst || (await this.#goesOnAt(offset)); isFirst = false) {
      const outcome = await this.#codec.open(this.#window, offset, this.#limits);
      if (outcome.kind === "skipped") return;
      if (outcome.kind === "damaged") throw this.#failed(outcome.reason);
      const parts = outcome.kind === "whole" ? [outcome.bytes] : this.#watched(outcome);
      for await (const part of parts) {
        position += part.length;
        yield part;
      }
      offset += outcome.kind === "whole" ? outcome.length : outcome.member.length;
      this.#starts.push({ offset, position });
    }
  }

  #failed(reason: string): MemberDamage {
    this.#read = 1;
    return new MemberDamage(reason);
  }

  async *#watched({ chunks, member }: Extract<MemberOutcome, { kind: "streamed" }>): AsyncGenerator<Uint8Array, void> {
    try {
      yield* chunks;
    } finally {
      this.#read = member.read;
    }
  }

  async #goesOnAt(offset: number): Promise<boolean> {
    const start = await this.#window.view(offset, PROBE_BYTES);
    return this.#codec.startsAt(start) && !this.#codec.probe(start);
  }
}
