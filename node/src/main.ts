/** `archive-node`: hands the command line to `cli/`, sets the exit code. */
import { runCommandLine } from "./cli/command-line.ts";

process.exitCode = await runCommandLine(process.argv.slice(2));
