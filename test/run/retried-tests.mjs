/**
 * A vitest reporter that notes which tests passed only when they were tried again. `npm test` prints their names, so that a
 * slow moment of a shared machine costs no run and hides no flaw. Appends to the file in ARCHIVE_RETRIED_TESTS, a line each.
 */
import { appendFileSync } from "node:fs";
import { relative } from "node:path";

export default class RetriedTests {
  onTestCaseResult(test) {
    const file = process.env.ARCHIVE_RETRIED_TESTS;
    const retries = test.diagnostic()?.retryCount ?? 0;
    if (file === undefined || retries === 0 || test.result().state !== "passed") return;
    const reasons = (test.result().errors ?? []).map((error) => String(error.message).split("\n")[0]);
    const name = `${relative(process.cwd(), test.module.moduleId)}: ${test.fullName}`;
    appendFileSync(file, `${JSON.stringify({ name, reason: reasons[0] ?? "" })}\n`);
  }
}
