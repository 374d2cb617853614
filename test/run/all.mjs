/**
 * `npm test`: makes everything ready that tests need, checks the sources, runs all tests, and closes with one line
 * `N passed, N failed, N skipped`. `--full` runs the same tests with larger numbers, and keeps its reports apart. Node 20, no
 * dependencies.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CACHE } from "../cluster/cache-folder.mjs";
import { checkHost, installPackages } from "../cluster/host.mjs";
import { provideImages } from "../cluster/images.mjs";
import { clusterUp } from "../cluster/kind.mjs";
import { buildPrograms, programsAreBuilt } from "../cluster/programs.mjs";
import { shown } from "./command.mjs";
import { installDependencies, ROOT, toolEnv } from "./dependencies.mjs";
import { alone } from "./lock.mjs";
import { runScript } from "./script.mjs";
import { formatDuration, PlainError } from "./steps.mjs";

/** gcc and libc6-dev build one program; the others are what tests start or crawl, and what the demo's commands need. */
const PACKAGES = [
  ...["gcc", "libc6-dev", "wget", "openssl", "python3-venv", "postgresql-doc-15", "procps", "util-linux"],
  ...["curl", "jq"],
];
const PROJECTS = ["unit", "node", "integration", "e2e"];
const IS_FULL = process.argv.includes("--full");
const REPORTS = join(CACHE, IS_FULL ? "test-reports-full" : "test-reports");
/** Those whose tests need servers, a cluster or time: one slow moment of a shared machine is given a second try. */
const RETRIED_PROJECTS = ["node", "integration", "e2e"];
const RETRIED = join(REPORTS, "retried.ndjson");
/** A run must end within 80 minutes, whatever hangs. `--full` may take as long as it needs, within a day. */
const DEADLINE_MS = (IS_FULL ? 24 * 60 : 80) * 60_000;

async function prepare() {
  await checkHost({ isWarm: programsAreBuilt() });
  await installPackages(PACKAGES);
  await installDependencies();
  await buildPrograms();
}

/** The cluster of the end-to-end tests; with ARCHIVE_TEST_KUBECONFIG set they use that one and none is started. */
async function prepareCluster(signal) {
  if (process.env.ARCHIVE_TEST_KUBECONFIG) return;
  await within(signal, clusterUp("archive-test").then(provideImages));
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
  const retries = RETRIED_PROJECTS.includes(project) ? ["--retry=1"] : [];
  const noting = `--reporter=${join(ROOT, "test/run/retried-tests.mjs")}`;
  const reporters = ["--reporter=default", noting, "--reporter=json", `--outputFile.json=${report}`];
  process.stdout.write(`\n--- tests: ${project}\n`);
  const args = ["run", "--project", project, "--passWithNoTests", ...retries, ...reporters];
  const code = await shown("vitest", args, { cwd: ROOT, env, signal });
  return countTests(report, code);
}

/** Rejects when the time is up. The work itself ends with this process. */
function within(signal, work) {
  return new Promise((resolve, reject) => {
    const late = () => reject(new PlainError("Not everything that tests need was ready in time."));
    if (signal.aborted) late();
    signal.addEventListener("abort", late);
    work.then(resolve, reject);
  });
}

/** A step that fails here is one failed test: the rest runs on, and the closing line tells. */
async function attempt(what, work) {
  try {
    if ((await work()) !== false) return { passed: 0, failed: 0, skipped: 0, skippedNames: [] };
  } catch (error) {
    process.stderr.write(`\n${what}: ${error.message}\n`);
  }
  return { passed: 0, failed: 1, skipped: 0, skippedNames: [] };
}

/** Runs one part and keeps what came of it, with its duration. */
async function part(parts, name, work) {
  const start = performance.now();
  const counts = await work();
  parts.push({ name, ...counts, durationMs: Math.round(performance.now() - start) });
}

async function runAll(signal) {
  const env = { ...toolEnv(), ARCHIVE_RETRIED_TESTS: RETRIED, ...(IS_FULL ? { ARCHIVE_TEST_FULL: "1" } : {}) };
  const parts = [];
  process.stdout.write("\n--- npm run check\n");
  const check = async () => (await shown("node", ["test/run/check.mjs"], { cwd: ROOT, env, signal })) === 0;
  await part(parts, "npm run check", () => attempt("npm run check", check));
  for (const project of PROJECTS) {
    if (project === "e2e") await part(parts, "the cluster", () => attempt("the cluster", () => prepareCluster(signal)));
    await part(parts, project, () => runProject(project, env, signal));
  }
  return parts;
}

function retriedTests() {
  if (!existsSync(RETRIED)) return [];
  const lines = readFileSync(RETRIED, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

function closingLines(parts, total) {
  const rows = parts.map(({ name, passed, failed, skipped, durationMs }) => {
    const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
    return `  ${name.padEnd(14)}${formatDuration(durationMs).padEnd(16)}${counts}`;
  });
  return [
    ...total.skippedNames.map((name) => `skipped: ${name}`),
    ...retriedTests().map(({ name, reason }) => `passed at the second try: ${name} (at the first: ${reason})`),
    "",
    ...rows,
    "",
    `Reports: ${REPORTS}. In ${formatDuration(total.durationMs)}:`,
    `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`,
  ].join("\n");
}

/** Ends what runs when the time is up; what ran until then is counted. */
function startDeadline() {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    process.stderr.write(`\nStopped: the run took longer than ${formatDuration(DEADLINE_MS)}.\n`);
    controller.abort();
  }, DEADLINE_MS);
  timer.unref();
  return controller.signal;
}

async function main() {
  const start = performance.now();
  const signal = startDeadline();
  mkdirSync(REPORTS, { recursive: true });
  for (const file of [join(REPORTS, "total.json"), RETRIED]) rmSync(file, { force: true });
  await within(signal, prepare());
  const parts = await runAll(signal);
  const sum = (name) => parts.reduce((count, one) => count + one[name], 0);
  const total = {
    ...{ passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") },
    skippedNames: parts.flatMap((one) => one.skippedNames),
    durationMs: Math.round(performance.now() - start),
    parts,
  };
  writeFileSync(join(REPORTS, "total.json"), JSON.stringify(total, undefined, 1));
  process.stdout.write(`${closingLines(parts, total)}\n`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

await runScript(() => alone("npm test", main));
