/** Prints rows of a measurement as a Markdown table, so that a run can be pasted into the README as it is. Pure. */
type Cell = string | number;

/** Three significant digits, more for large whole numbers: nothing measured here is truer than that. */
function shown(cell: Cell): string {
  if (typeof cell === "string") return cell;
  return Math.abs(cell) >= 100 ? String(Math.round(cell)) : String(Number(cell.toPrecision(3)));
}

const isNumber = (rows: readonly (readonly Cell[])[], column: number): boolean =>
  rows.every((row) => typeof row[column] === "number");

/** A table with aligned columns; columns of numbers are set to the right. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map(shown));
  const widths = head.map((name, column) => Math.max(3, name.length, ...texts.map((row) => row[column]?.length ?? 0)));
  const right = head.map((_name, column) => isNumber(rows, column));
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) => {
      const cell = cells[column] ?? "";
      return right[column] === true ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${padded.join(" | ")} |`;
  };
  const rule = widths.map((width, column) => `${"-".repeat(width - 1)}${right[column] === true ? ":" : "-"}`);
  return [line(head), line(rule), ...texts.map(line)].join("\n");
}

/** The value below which the given share (0 to 1) of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
