/** Proves that the committed generated files are what their generator writes today. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { output } from "./command.mjs";
import { PlainError } from "./steps.mjs";

const GENERATOR = "crds/scripts/write-manifests.ts";
/** Where it writes. */
const FOLDERS = ["crds", "charts"];

/** Content hashes of every YAML, JSON and Markdown file in `FOLDERS`. */
function snapshot(root) {
  const hashes = new Map();
  for (const folder of FOLDERS) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      if (!entry.isFile() || path.includes("node_modules") || !/\.(ya?ml|json|md)$/.test(path)) continue;
      hashes.set(path, createHash("sha256").update(readFileSync(path)).digest("hex"));
    }
  }
  return hashes;
}

/** @throws {PlainError} a file changed; it now has its new content, to be looked at and committed */
export async function generatedFilesAreCurrent(root, env) {
  if (!existsSync(join(root, GENERATOR))) throw new PlainError(`${GENERATOR} is not there.`);
  const before = snapshot(root);
  await output("node", [GENERATOR], { cwd: root, env });
  const after = snapshot(root);
  const changed = [...after]
    .filter(([path, hash]) => before.get(path) !== hash)
    .map(([path]) => path.slice(root.length));
  if (changed.length > 0) throw new PlainError(`Out of date, now written anew; commit them: ${changed.join(", ")}`);
}
