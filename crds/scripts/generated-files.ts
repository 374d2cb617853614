/** Names and contents of all files that are made from the schemas. Pure, so that a test can compare them. */
import { stringify } from "yaml";
import { KINDS } from "../src/kinds.ts";
import { customResourceDefinition } from "../src/manifest.ts";
import { referencePage } from "../src/reference.ts";

const HEADER = "# Made by `npm run generate` from crds/src. Do not edit.\n";

/** Contents by path from the repository's root; with `release` also the baseline of the compatibility gate. */
export function generatedFiles(options: { readonly release: boolean }): Readonly<Record<string, string>> {
  const folders = ["crds", "charts/archive-operator/files/crds", ...(options.release ? ["crds/released"] : [])];
  const manifests = Object.values(KINDS).flatMap((kind) => {
    const text = HEADER + stringify(customResourceDefinition(kind), { lineWidth: 0, aliasDuplicateObjects: false });
    return folders.map((folder) => [`${folder}/${kind.plural}.yaml`, text] as const);
  });
  return Object.fromEntries([...manifests, ["crds/reference.md", referencePage()]]);
}
