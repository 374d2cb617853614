/**
 * Proves that the checks of layers and of file length look: in a copy of the sources, each planted file breaks one rule,
 * and that rule must say so. A check that sees no files passes silently; this one cannot.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { output } from "./command.mjs";
import { PlainError } from "./steps.mjs";

export const LAYERED_FOLDERS = ["crds", "node", "operator", "test"];

/** Rule -> files whose import breaks it. */
const PLANTED = {
  "operator-sees-contract-only": { "operator/src/planted.ts": 'import "../../node/src/archive/archive.ts";\n' },
  "pure-files": { "operator/src/controllers/planted/plan.ts": 'import "node:fs";\n' },
  "node-never-operator": {
    "node/src/warc/planted.ts": 'import "../../../operator/src/planted-target.ts";\n',
    "operator/src/planted-target.ts": "export const target = 1;\n",
  },
  "no-cycles": {
    "node/src/warc/planted-a.ts": 'import "./planted-b.ts";\n',
    "node/src/warc/planted-b.ts": 'import "./planted-a.ts";\n',
  },
  "fastify-in-http": { "node/src/warc/planted-web.ts": 'import "fastify";\n' },
  "sqlite-in-storage": { "node/src/warc/planted-sql.ts": 'import "node:sqlite";\n' },
};

/** One line too many, in a source and in a test, for which some other rules are off. */
const TOO_LONG = ["node/src/warc/planted-long.ts", "test/integration/planted-long.test.ts"];
const LINES = Array.from({ length: 301 }, (_, index) => `export const planted${index} = ${index};\n`).join("");

/** Which of the files biome finds too long. */
async function foundTooLong(root, env) {
  const args = ["lint", "--vcs-enabled=false", "--only=style/noExcessiveLinesPerFile", "--reporter=json", ...TOO_LONG];
  const found = await output("bash", ["-c", '"$@" || true', "bash", "biome", ...args], { cwd: root, env });
  const { diagnostics } = JSON.parse(found);
  return TOO_LONG.filter((file) => diagnostics.some((one) => JSON.stringify(one.location.path).includes(file)));
}

async function cruise(root, env) {
  const args = [...LAYERED_FOLDERS, "--config", ".dependency-cruiser.mjs", "--output-type", "json"];
  // Violations make it end with their number; the report is printed all the same.
  const script = '"$@" || true';
  return JSON.parse(await output("bash", ["-c", script, "bash", "depcruise", ...args], { cwd: root, env }));
}

/** How many of our own files dependency-cruiser looks at. */
export async function seenModules(root, env) {
  const { modules } = await cruise(root, env);
  return modules.filter((one) => LAYERED_FOLDERS.some((folder) => one.source.startsWith(`${folder}/`))).length;
}

function copySources(root, copy) {
  for (const path of [...LAYERED_FOLDERS, "package.json", "tsconfig.json", ".dependency-cruiser.mjs", "biome.jsonc"]) {
    const filter = (source) => !source.includes("node_modules");
    if (existsSync(join(root, path))) cpSync(join(root, path), join(copy, path), { recursive: true, filter });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
}

/** @throws {PlainError} a planted violation went unnoticed */
export async function plantedViolationsFire(root, env) {
  const copy = mkdtempSync(join(tmpdir(), "archive-planted-"));
  try {
    copySources(root, copy);
    const tooLong = TOO_LONG.map((path) => [path, LINES]);
    for (const [path, text] of [...Object.values(PLANTED).flatMap(Object.entries), ...tooLong]) {
      mkdirSync(dirname(join(copy, path)), { recursive: true });
      writeFileSync(join(copy, path), text);
    }
    const { summary } = await cruise(copy, env);
    const fired = new Set(summary.violations.map((one) => one.rule.name));
    const silent = Object.keys(PLANTED).filter((rule) => !fired.has(rule));
    const found = await foundTooLong(copy, env);
    silent.push(...TOO_LONG.filter((path) => !found.includes(path)));
    if (silent.length > 0) throw new PlainError(`Planted violations that no rule noticed: ${silent.join(", ")}`);
    return `${Object.keys(PLANTED).length + 1} rules`;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
