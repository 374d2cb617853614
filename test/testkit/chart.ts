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

interface Release {
  readonly name: string;
  readonly namespace: string;
}

const RELEASE: Release = { name: "archive-operator", namespace: "archive-system" };

/** `values` are written as for `helm --set`. */
async function template(values: readonly string[], flags: readonly string[], release = RELEASE): Promise<string> {
  const set = values.flatMap((value) => ["--set", value]);
  const args = [...flags, release.name, CHART, "--namespace", release.namespace, ...set];
  const { stdout } = await promisify(execFile)(join(BIN, "helm"), args, { maxBuffer: OUTPUT_LIMIT_BYTES });
  return stdout;
}

/** @throws with helm's message on standard error in `stderr` when values are refused */
export function renderText(...values: readonly string[]): Promise<string> {
  return template(values, ["template", "--skip-tests"]);
}

/** As release `archive-operator` in `archive-system`. */
export function render(...values: readonly string[]): Promise<readonly Manifest[]> {
  return renderRelease(RELEASE, values);
}

export function renderIn(namespace: string, values: readonly string[]): Promise<readonly Manifest[]> {
  return renderRelease({ ...RELEASE, namespace }, values);
}

export async function renderRelease(release: Release, values: readonly string[]): Promise<readonly Manifest[]> {
  return manifestsOf(await template(values, ["template", "--skip-tests"], release));
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

/** The part of the notes that a person pastes into a shell to get a first archive. */
export function firstArchive(notes: string): string {
  const [, commands] = /^Make a first archive:\n\n(.*?)\n\nThe token/ms.exec(notes) ?? [];
  if (commands === undefined) throw new Error(`the notes have no commands for a first archive:\n${notes}`);
  return commands;
}
