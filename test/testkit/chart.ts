/** The chart as `helm template` renders it: needs the helm program, no cluster. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { BIN } from "../cluster/cache-folder.mjs";

const CHART = fileURLToPath(new URL("../../charts/archive-operator", import.meta.url));
const OUTPUT_LIMIT_BYTES = 16 * 2 ** 20;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

const RELEASE_NAMESPACE = "archive-system";

/** A release named `archive-operator`; `values` are written as for `helm --set`. */
async function template(
  values: readonly string[],
  flags: readonly string[],
  namespace = RELEASE_NAMESPACE,
): Promise<string> {
  const set = values.flatMap((value) => ["--set", value]);
  const args = [...flags, "archive-operator", CHART, "--namespace", namespace, ...set];
  const { stdout } = await promisify(execFile)(join(BIN, "helm"), args, { maxBuffer: OUTPUT_LIMIT_BYTES });
  return stdout;
}

/** @throws with helm's message on standard error in `stderr` when values are refused */
export function renderText(...values: readonly string[]): Promise<string> {
  return template(values, ["template", "--skip-tests"]);
}

/** As installed in `archive-system`. */
export function render(...values: readonly string[]): Promise<readonly Manifest[]> {
  return renderIn(RELEASE_NAMESPACE, values);
}

export async function renderIn(namespace: string, values: readonly string[]): Promise<readonly Manifest[]> {
  return manifestsOf(await template(values, ["template", "--skip-tests"], namespace));
}

/** What `helm test` makes, runs and removes. */
export async function renderTests(...values: readonly string[]): Promise<readonly Manifest[]> {
  const all = manifestsOf(await template(values, ["template"]));
  return all.filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"] === "test");
}

function manifestsOf(text: string): readonly Manifest[] {
  const documents = parseAllDocuments(text).map((one) => one.toJS() as Manifest | null);
  return documents.filter((one) => one !== null);
}

/** What `helm install` prints at the end. */
export async function renderNotes(...values: readonly string[]): Promise<string> {
  const text = await template(values, ["install", "--dry-run=client"]);
  return text.slice(text.indexOf("NOTES:"));
}
