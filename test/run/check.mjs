/**
 * `npm run check`: format, lint, types, layers, unused code, generated files, paths in the documentation. Everything
 * is run before the verdict, so one run shows all there is to do. Needs installed dependencies; itself Node 20 without
 * any.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { output, shown } from "./command.mjs";
import { installDependencies, ROOT, toolEnv } from "./dependencies.mjs";
import { generatedFilesAreCurrent } from "./generated-files.mjs";
import { missingLinks, missingMapPaths } from "./map-paths.mjs";
import { LAYERED_FOLDERS, plantedViolationsFire, seenModules } from "./planted-violations.mjs";
import { runScript } from "./script.mjs";
import { PlainError, step } from "./steps.mjs";

/** dependency-cruiser ends well after looking at nothing; well below this number something is wrong with its eyes. */
const FEWEST_MODULES = 60;

const CRUISE = ["--config", ".dependency-cruiser.mjs"];

function tool(program, args) {
  return async () => {
    try {
      await output(program, args, { cwd: ROOT, env: toolEnv() });
    } catch {
      // Once more for the person to see: tools colour and fold their output when they talk to one.
      await shown(program, args, { cwd: ROOT, env: toolEnv() });
      throw new PlainError(`${program} found something.`);
    }
  };
}

async function layersWithFloor() {
  await tool("depcruise", [...LAYERED_FOLDERS, ...CRUISE])();
  const count = await seenModules(ROOT, toolEnv());
  if (count < FEWEST_MODULES)
    throw new PlainError(`dependency-cruiser looked at ${count} files, fewer than ${FEWEST_MODULES}.`);
  return `${count} files`;
}

async function documentationIsRight() {
  const read = (path) => readFileSync(join(ROOT, path), "utf8");
  const listed = await output("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { cwd: ROOT });
  const pages = listed.split("\n").filter((path) => existsSync(join(ROOT, path)));
  const missing = [
    ...missingMapPaths(read("ARCHITECTURE.md"), ROOT).map((path) => `ARCHITECTURE.md -> ${path}`),
    ...pages.flatMap((path) => missingLinks(read(path), path, ROOT)),
  ];
  if (missing.length > 0) throw new PlainError(`The documentation names what is not there:\n${missing.join("\n")}`);
  return `${pages.length} pages`;
}

const CHECKS = [
  ["format and lint", tool("biome", ["check", "--error-on-warnings", "."])],
  ["types", tool("tsc", ["-p", "tsconfig.json"])],
  ["typed lint", tool("oxlint", ["--type-aware"])],
  ["layers", layersWithFloor],
  ["planted violations fire", () => plantedViolationsFire(ROOT, toolEnv())],
  ["unused code", tool("knip", [])],
  ["generated files", () => generatedFilesAreCurrent(ROOT, toolEnv())],
  ["documentation", documentationIsRight],
];

await runScript(async () => {
  await installDependencies();
  const failed = [];
  for (const [name, check] of CHECKS) {
    await step(`check: ${name}`, check).catch((error) => {
      process.stderr.write(`${error.message}\n`);
      failed.push(name);
    });
  }
  if (failed.length > 0) throw new PlainError(`npm run check failed: ${failed.join(", ")}`);
});
