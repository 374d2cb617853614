/**
 * Fills an archive with the commands that the demo prints, and names those that ask it. The demo and the end-to-end
 * tests share it. Node 20, no dependencies.
 */
import { formatDuration, PlainError, step } from "../run/steps.mjs";
import { SITE_URL } from "./documentation-site.mjs";
import { filesCommand, lookUpCommand, searchCommand, shell, uploadCommand } from "./reader-commands.mjs";

/** The one in archive-node.yaml. */
export const COLLECTION = "manuals";
export const QUESTIONS = ["vacuum freeze wraparound", '"write ahead log" archiving', "jsonb index"];
const INDEXED_MS = 120_000;

/**
 * Uploads files and waits until all is searchable. The same files again are no error: the node answers with the receipt
 * it gave before.
 *
 * @param {{kubeconfig: string, env: Record<string, string>}} cluster
 * @param {{namespace: string, name: string}} archive
 * @param {string[]} files paths of WARC files
 * @throws {PlainError} a file cannot be indexed, or it takes too long
 */
export async function fillArchive(cluster, archive, files) {
  await step(`upload ${files.length} WARC files`, async () => {
    let captures = 0;
    for (const file of files)
      captures += JSON.parse(await shell(cluster, archive, uploadCommand(COLLECTION, file))).captures;
    return `${captures} captures`;
  });
  await step("wait until all of it is searchable", () => allSearchable(cluster, archive, files.length));
}

async function allSearchable(cluster, archive, count) {
  const deadline = performance.now() + INDEXED_MS;
  for (;;) {
    const { blobs } = JSON.parse(await shell(cluster, archive, filesCommand(COLLECTION)));
    const failed = blobs.find((one) => one.state === "failed");
    if (failed) throw new PlainError(`${failed.filename ?? failed.hash} could not be indexed: ${failed.reason}`);
    const done = blobs.filter((one) => one.state === "searchable").length;
    if (done >= count) return `${done} files`;
    if (performance.now() > deadline)
      throw new PlainError(`${done} of ${count} files are searchable after ${formatDuration(INDEXED_MS)}.`);
  }
}

/** Shell lines for what was uploaded: its text, and which captures of a page it has. */
export function askingCommands() {
  const page = `${new URL(SITE_URL).host}/sql-vacuum.html`;
  return [...QUESTIONS.map(searchCommand), lookUpCommand(COLLECTION, page)];
}
