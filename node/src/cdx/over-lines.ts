/** Which lines of a journal are over, because a later one withdraws their file: it need not be read, and may be gone. */
import type { JournalEntry, JournalLine, Withdrawal } from "./journal.ts";

export interface OverLines {
  readonly has: (line: JournalLine) => boolean;
}

/** Keeps one number for each file that was withdrawn. */
export function overLines(lines: Iterable<JournalLine>): OverLines {
  const withdrawnAt = new Map<string, number>();
  for (const { withdrawal, end } of lines) if (withdrawal !== undefined) withdrawnAt.set(keyOf(withdrawal), end);
  return { has: ({ entry, end }) => entry !== undefined && end < (withdrawnAt.get(keyOf(entry)) ?? 0) };
}

function keyOf({ collection, hash }: JournalEntry | Withdrawal): string {
  return `${hash} ${collection}`;
}
