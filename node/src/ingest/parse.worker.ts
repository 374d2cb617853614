/** A thread that reads one file after another: foreign bytes stay out of the main loop, under a ceiling of memory. */
import { SpoolWriter } from "../cdx/capture-spool.ts";
import { readCaptures } from "../cdx/read-captures.ts";
import { answerCalls } from "../storage/worker-calls.ts";
import { openFileSource } from "../warc/byte-source.ts";
import type { ParseCalls } from "./parse-calls.ts";

const calls: ParseCalls = {
  parse: async ({ path, spool }) => {
    await using source = await openFileSource(path);
    using rows = new SpoolWriter(spool);
    const report = await readCaptures(source, { row: (row) => rows.write(row) });
    return { report, captures: rows.rows };
  },
};

answerCalls(calls, { name: "archive reader", file: "", close: () => {} });
