/** Runs `warc check` or `warc index` as a process of its own, for tests that look at memory and exit status. */
import { runWarcCheck } from "../../node/src/cli/warc-check.ts";
import { runWarcIndex } from "../../node/src/cli/warc-index.ts";

const COMMANDS = { check: runWarcCheck, index: runWarcIndex } as const;
const [name, ...argv] = process.argv.slice(2);
const command = COMMANDS[name === "index" ? "index" : "check"];
const { stdout, stderr } = process;
process.exitCode = await command(argv, { stdout, stderr, signal: new AbortController().signal });
if (process.env["ARCHIVE_REPORT_MEMORY"] === "1") {
  process.stderr.write(`${JSON.stringify({ maxRssBytes: process.resourceUsage().maxRSS * 1024 })}\n`);
}
