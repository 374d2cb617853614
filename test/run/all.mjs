/**
 * `npm test`: makes everything ready that tests need, checks the sources, runs all tests, and closes with one line
 * `N passed, N failed, N skipped`. `--full` runs the same tests with larger numbers. Node 20, no dependencies.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE } from "../cluster/cache-folder.mjs";
import { checkHost, installPackages } from "../cluster/host.mjs";
import { provideImages } from "../cluster/images.mjs";
import { clusterUp } from "../cluster/kind.mjs";
import { buildPrograms, programsAreBuilt } from "../cluster/programs.mjs";
import { shown } from "./command.mjs";
import { installDependencies, ROOT, toolEnv } from "./dependencies.mjs";
import { formatDuration, runScript } from "./steps.mjs";

/** gcc and libc6-dev build one program; the others are what tests start or crawl. */
const PACKAGES = ["gcc", "libc6-dev", "wget", "openssl", "python3-venv", "postgresql-doc-15", "procps", "util-linux"];
const PROJECTS = ["unit", "node", "integration", "e2e"];
const REPORTS = join(CACHE, "test-reports");
/** A run must end within the hour, whatever hangs. `--full` may take as long as it needs. */
const DEADLINE_MS = 57 * 60_000;

async function prepare() {
  await checkHost({ isWarm: programsAreBuilt() });
  await installPackages(PACKAGES);
  await installDependencies();
  await buildPrograms();
}

/** The cluster of the end-to-end tests; with ARCHIVE_TEST_KUBECONFIG set they use that one and none is started. */
async function prepareCluster() {
  if (process.env.ARCHIVE_TEST_KUBECONFIG) return;
  await provideImages(await clusterUp("archive-test"));
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined; // it died before it could write
  }
}

function countTests(reportPath, exitCode) {
  const files = readReport(reportPath)?.testResults ?? [];
  const tests = files.flatMap((file) =>
    file.assertionResults.map((one) => ({
      status: one.status,
      name: `${file.name.replace(ROOT, "")}: ${one.fullName}`,
    })),
  );
  const withStatus = (status) => tests.filter((one) => one.status === status).length;
  const passed = withStatus("passed");
  // A file that cannot be loaded, an error between tests, or a run without a report has no test to its name.
  const failed = Math.max(withStatus("failed"), exitCode === 0 ? 0 : 1);
  const skippedNames = tests.filter((one) => !["passed", "failed"].includes(one.status)).map((one) => one.name);
  return { passed, failed, skipped: skippedNames.length, skippedNames };
}

async function runProject(project, env, signal) {
  const report = join(REPORTS, `${project}.json`);
  rmSync(report, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  process.stdout.write(`\n--- tests: ${project}\n`);
  const args = ["run", "--project", project, "--passWithNoTests", ...reporters];
  const code = await shown("vitest", args, { cwd: ROOT, env, signal });
  return countTests(report, code);
}

/** A step that fails here is one failed test: the rest runs on, and the closing line tells. */
async function attempt(what, work) {
  try {
    if ((await work()) !== false) return 0;
  } catch (error) {
    process.stderr.write(`\n${what}: ${error.message}\n`);
  }
  return 1;
}

async function main() {
  const start = performance.now();
  const isFull = process.argv.includes("--full");
  mkdirSync(REPORTS, { recursive: true });
  await prepare();
  const signal = isFull ? undefined : AbortSignal.timeout(DEADLINE_MS);
  const env = { ...toolEnv(), ...(isFull ? { ARCHIVE_TEST_FULL: "1" } : {}) };
  const total = { passed: 0, failed: 0, skipped: 0, skippedNames: [] };
  process.stdout.write("\n--- npm run check\n");
  total.failed += await attempt(
    "npm run check",
    async () => (await shown("node", ["test/run/check.mjs"], { cwd: ROOT, env, signal })) === 0,
  );
  for (const project of PROJECTS) {
    if (project === "e2e") total.failed += await attempt("the cluster", prepareCluster);
    const counts = await runProject(project, env, signal);
    for (const name of ["passed", "failed", "skipped"]) total[name] += counts[name];
    total.skippedNames.push(...counts.skippedNames);
  }
  writeFileSync(join(REPORTS, "total.json"), JSON.stringify(total, undefined, 1));
  for (const name of total.skippedNames) process.stdout.write(`skipped: ${name}\n`);
  if (signal?.aborted) process.stdout.write(`Stopped: the run took longer than ${formatDuration(DEADLINE_MS)}.\n`);
  process.stdout.write(`\nIn ${formatDuration(performance.now() - start)}:\n`);
  process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

await runScript(main);
