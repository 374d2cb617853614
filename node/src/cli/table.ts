/** Rows as columns of equal width, for people. Pure. */

/** @returns lines with the titles first, each with its end of line */
export function tableOf<T>(rows: readonly T[], columns: Readonly<Record<string, (row: T) => string>>): string {
  const titles = Object.keys(columns);
  const lines = [titles, ...rows.map((row) => Object.values(columns).map((cell) => cell(row)))];
  const widths = titles.map((_title, at) => Math.max(...lines.map((cells) => (cells[at] ?? "").length)));
  return lines
    .map(
      (cells) =>
        `${cells
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
