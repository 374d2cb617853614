/**
 * Fills the demo's archives with the commands that the demo prints: each gets another part of the manual. The demo and the
 * end-to-end tests share it. Node 20, no dependencies.
 */
import { setTimeout as delay } from "node:timers/promises";
import { formatDuration, PlainError, step } from "../run/steps.mjs";
import { ARCHIVES, filesCommand, shell, uploadCommand } from "./reader-commands.mjs";

/** Collections of federation.yaml, and the one that an archive without a configuration has. */
export const COLLECTIONS = { library: "manuals", annex: "manuals", outside: "default" };
const INDEXED_MS = 120_000;
const LOOK_MS = 300;

/**
 * Which files go where: every third to the annex, every third to the archive outside.
 *
 * @param {string[]} files paths of WARC files, in order
 * @returns {{library: string[], annex: string[], outside: string[]}}
 */
export function partsOf(files) {
  const part = (index) => files.filter((_, at) => at % 3 === index);
  return { library: part(0), annex: part(1), outside: part(2) };
}

/**
 * Uploads files and waits until all is searchable. The same files again are no error: the node answers with the receipt
 * it gave before.
 *
 * @param {{kubeconfig: string, env: Record<string, string>}} cluster
 * @param {string} namespace
 * @param {"library" | "annex" | "outside"} name
 * @param {string[]} files paths of WARC files
 * @throws {PlainError} a file cannot be indexed, or it takes too long
 */
export async function fillArchive(cluster, namespace, name, files) {
  const [archive, collection] = [ARCHIVES[name], COLLECTIONS[name]];
  await step(`upload ${files.length} WARC files to the ${name} archive, until they are searchable`, async () => {
    let captures = 0;
    for (const file of files)
      captures += JSON.parse(await shell(cluster, namespace, uploadCommand(archive, collection, file))).captures;
    await allSearchable(cluster, namespace, name, files.length);
    return `${captures} captures`;
  });
}

/** @param {number} count files that must be there */
export async function allSearchable(cluster, namespace, name, count) {
  const deadline = performance.now() + INDEXED_MS;
  for (;;) {
    const listed = await shell(cluster, namespace, filesCommand(ARCHIVES[name], COLLECTIONS[name]));
    const { blobs } = JSON.parse(listed);
    const failed = blobs.find((one) => one.state === "failed");
    if (failed) throw new PlainError(`${failed.filename ?? failed.hash} could not be indexed: ${failed.reason}`);
    const done = blobs.filter((one) => one.state === "searchable").length;
    if (done >= count) return;
    if (performance.now() > deadline)
      throw new PlainError(
        `The ${name} archive has ${done} of ${count} searchable files after ${formatDuration(INDEXED_MS)}.`,
      );
    await delay(LOOK_MS);
  }
}
