/** Options and arguments of commands: unknown ones and missing values are usage errors. */
import { parseArgs } from "node:util";
import { StartError } from "../config/errors.ts";

/** `--name value` options alone. @throws {StartError} `BAD_USAGE` */
export function parseOptions<const N extends string>(
  args: readonly string[],
  names: readonly N[],
): Readonly<Partial<Record<N, string>>> {
  return parseCommandArgs(args, { values: names }).values;
}

export interface CommandShape<V extends string, L extends string, F extends string> {
  /** `--name value`; the last one counts. */
  readonly values: readonly V[];
  /** `--name value`, as often as wanted. */
  readonly lists?: readonly L[];
  /** `--name` alone. */
  readonly flags?: readonly F[];
  /** What stands without a name, as it is called in the usage. */
  readonly operands?: readonly string[];
}

export interface CommandArgs<V extends string, L extends string, F extends string> {
  readonly values: Readonly<Partial<Record<V, string>>>;
  readonly lists: Readonly<Record<L, readonly string[]>>;
  readonly flags: Readonly<Record<F, boolean>>;
  readonly operands: readonly string[];
}

/** @throws {StartError} `BAD_USAGE`, also when an operand is missing or one too many */
export function parseCommandArgs<
  const V extends string,
  const L extends string = never,
  const F extends string = never,
>(args: readonly string[], shape: CommandShape<V, L, F>): CommandArgs<V, L, F> {
  const { values, lists = [], flags = [], operands = [] } = shape;
  const all = [...values, ...lists];
  const options = {
    ...Object.fromEntries(all.map((name) => [name, { type: "string" as const, multiple: true }])),
    ...Object.fromEntries(flags.map((name) => [name, { type: "boolean" as const }])),
  };
  const parsed = parsedArgs(args, options, operands.length > 0);
  const missing = operands[parsed.positionals.length];
  if (missing !== undefined) throw badUsage(`${missing} is missing; see archive-node help`);
  const extra = parsed.positionals[operands.length];
  if (extra !== undefined) throw badUsage(`"${extra}" is one argument too many; see archive-node help`);
  const given = (name: string) => (parsed.values[name] ?? []) as readonly string[];
  return {
    values: Object.fromEntries(values.flatMap((name) => given(name).map((value) => [name, value]))) as Partial<
      Record<V, string>
    >,
    lists: Object.fromEntries(lists.map((name) => [name, given(name)])) as Record<L, readonly string[]>,
    flags: Object.fromEntries(flags.map((name) => [name, parsed.values[name] === true])) as Record<F, boolean>,
    operands: parsed.positionals,
  };
}

function parsedArgs(
  args: readonly string[],
  options: NonNullable<Parameters<typeof parseArgs>[0]>["options"],
  allowPositionals: boolean,
) {
  try {
    return parseArgs({ args: [...args], options: options ?? {}, strict: true, allowPositionals });
  } catch (error) {
    throw badUsage(error instanceof Error ? error.message : "bad option", error);
  }
}

function badUsage(reason: string, cause?: unknown): StartError {
  return new StartError("BAD_USAGE", { reason }, { cause });
}
