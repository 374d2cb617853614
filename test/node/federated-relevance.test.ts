/**
 * Three archives with disjoint parts of two real books answer as one that holds everything: a hundred questions of plain
 * words, the first ten pages of each compared.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CorpusPage, openCorpus } from "../testkit/documentation-corpus.ts";
import { asked, federationOf, leafPeer } from "../testkit/federation-in-process.ts";
import { type FullTextArchive, openFullTextArchive } from "../testkit/full-text-archive.ts";
import { chooseQuestions } from "../testkit/relevance.ts";
import { tempDir } from "../testkit/temp-dir.ts";

const QUESTIONS = 100;
/** More entries than that, for some ask for pages that too many match. */
const ENTRIES = 400;
/** With more matches not every one is scored, and which are depends on the index. */
const MATCHES_AT_MOST = 1_500;
const SHOWN = 10;
const LEAST_OVERLAP = 0.95;
const PAGES_PER_BLOB = 200;
const INDEX_MS = 600_000;
const TEST_MS = 900_000;

async function fill(archive: FullTextArchive, pages: readonly CorpusPage[]): Promise<void> {
  let last = 0;
  for (let at = 0; at < pages.length; at += PAGES_PER_BLOB) {
    const blob = pages.slice(at, at + PAGES_PER_BLOB);
    last = await archive.append(blob.map(({ url, file }) => ({ url, file, digest: url, timestamp: "20240101000000" })));
  }
  await archive.indexed(last);
}

/** Words of the entry without signs that mean something to the query. */
const plain = (entry: string): string => (entry.match(/[\p{L}\p{N}]+/gu) ?? []).join(" ");

test("three disjoint parts rank as the whole does", { timeout: TEST_MS }, async () => {
  const corpus = await openCorpus();
  await using dir = await tempDir("federated-relevance");
  const folder = async (name: string): Promise<string> => {
    await mkdir(join(dir.path, name));
    return join(dir.path, name);
  };
  await using whole = await openFullTextArchive({ dir: await folder("whole"), indexDeadlineMs: INDEX_MS });
  await using first = await openFullTextArchive({ dir: await folder("first"), indexDeadlineMs: INDEX_MS });
  await using second = await openFullTextArchive({ dir: await folder("second"), indexDeadlineMs: INDEX_MS });
  await using third = await openFullTextArchive({ dir: await folder("third"), indexDeadlineMs: INDEX_MS });
  await fill(whole, corpus.pages);
  // By book and by place: shares of unlike size, whose words are not equally common.
  const shareOf = (at: number): number => (at % 5 < 2 ? 0 : at < corpus.pages.length / 2 ? 1 : 2);
  for (const [share, archive] of [first, second, third].entries()) {
    await fill(
      archive,
      corpus.pages.filter((_page, at) => shareOf(at) === share),
    );
  }
  const federation = federationOf(first, { peers: { second: leafPeer(second.leaf), third: leafPeer(third.leaf) } });

  const overlaps: number[] = [];
  for (const { query } of chooseQuestions(corpus, ENTRIES)) {
    if (overlaps.length === QUESTIONS) break;
    const q = plain(query);
    const central = await whole.ask(q, { limit: SHOWN });
    if (central.total > MATCHES_AT_MOST || central.total === 0) continue;
    const federated = await federation.search(asked(q, { limit: SHOWN }), AbortSignal.timeout(60_000));
    expect(federated.peers.map(({ status }) => status)).toEqual(["ok", "ok"]);
    const [right, found] = [central, federated].map(({ hits }) => hits.map(({ url }) => url));
    const overlap = (right ?? []).filter((url) => found?.includes(url)).length / (right?.length ?? 1);
    overlaps.push(overlap);
    if (overlap < 1 || JSON.stringify(right) !== JSON.stringify(found)) console.log(overlap, q, right, found);
    expect(federated.total, q).toBe(central.total);
  }
  expect(overlaps).toHaveLength(QUESTIONS);
  const mean = overlaps.reduce((sum, overlap) => sum + overlap, 0) / overlaps.length;
  const identical = overlaps.filter((overlap) => overlap === 1).length;
  console.log(`mean overlap of the first ten: ${mean.toFixed(4)}, ${identical} of ${QUESTIONS} the same pages`);
  expect(mean).toBeGreaterThanOrEqual(LEAST_OVERLAP);
});
