/** `--name value` options: unknown ones and missing values are usage errors. */
import { parseArgs } from "node:util";
import { StartError } from "../config/errors.ts";

/** @throws {StartError} `BAD_USAGE` */
export function parseOptions<const N extends string>(
  args: readonly string[],
  names: readonly N[],
): Readonly<Partial<Record<N, string>>> {
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
  try {
    return parseArgs({ args: [...args], options, strict: true }).values as Partial<Record<N, string>>;
  } catch (error) {
    throw new StartError(
      "BAD_USAGE",
      { reason: error instanceof Error ? error.message : "bad option" },
      { cause: error },
    );
  }
}
