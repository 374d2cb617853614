/** What a fuzz target is: a parser of foreign bytes, inputs to start from, and what must hold for every other input. */
import type { FuzzInput } from "./mutate.ts";

export interface FuzzTarget {
  /** Scripts whose coverage guides the fuzzer. */
  readonly watched: RegExp;
  /** Run first in every run: usual inputs of every kind, and those that were findings once. */
  readonly seeds: () => readonly FuzzInput[];
  /** Pieces that the parser treats in a way of its own. */
  readonly words: readonly (string | Uint8Array)[];
  /** Processor time that one input of 64 KiB may take, milliseconds. Several times what the worst seed takes. */
  readonly maxCpuMs: number;
  /** Throws when the parser did what it must never do. @param folder - for files, removed afterwards */
  readonly exercise: (bytes: Uint8Array, folder: string) => void | Promise<void>;
}

/** Lets refusals pass that the parser promises. */
export function unlessRefused<T>(refusal: abstract new (...args: never[]) => Error, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof refusal) return undefined;
    throw error;
  }
}

/** A finding of a target's own. */
export function mustHold(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Seeds of a target whose inputs are single texts or byte strings. */
export function plainSeeds(seeds: readonly (string | Uint8Array)[]): FuzzInput[] {
  return seeds.map((seed) => ({ wrapping: "plain", pieces: [Buffer.from(seed)] }));
}
