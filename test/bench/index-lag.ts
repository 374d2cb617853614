/**
 * How long after an upload's last byte a file is visible: in CDX, and in the full text. Files of 50 pages come at a steady
 * pace, as from a crawl, while one client looks up and another searches without pause. `BENCH_INGEST_PAGES_PER_SECOND`
 * sets the pace (100).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { startArchiveNode } from "../testkit/archive-node-process.ts";
import { NodeArchive } from "../testkit/uploads.ts";
import { gzipEach, pageRecord, warcinfo } from "../testkit/warc-builder.ts";
import { makePage } from "./synthetic-pages.ts";
import { percentile, table } from "./table.ts";

const PAGES_PER_SECOND = Number(process.env["BENCH_INGEST_PAGES_PER_SECOND"] ?? 100);
const PAGES_PER_FILE = 50;
const FILES = 80;
const LOOK_MS = 50;
const DEADLINE_MS = 120_000;

export async function showIndexLag(): Promise<void> {
  await using node = await startArchiveNode();
  await using archive = new NodeArchive(node);
  const captured: number[] = [];
  const searchable: number[] = [];
  const stop = new AbortController();
  const asking = [() => archive.cdx(makePage(0).url), () => archive.search("babo")].map(async (ask) => {
    while (!stop.signal.aborted) await ask();
  });
  const send = async (file: number): Promise<void> => {
    const pages = Array.from({ length: PAGES_PER_FILE }, (_none, page) => makePage(file * PAGES_PER_FILE + page));
    const bytes = gzipEach([warcinfo(), ...pages.map((page) => pageRecord(page.url, html(page)))]);
    const sent = performance.now();
    const { status, json } = await archive.upload(bytes);
    if (status !== 201) throw new Error(`upload answered ${status}`);
    if ((await archive.cdx(pages[0]?.url ?? "")).length === 0) throw new Error("acknowledged and not visible");
    captured.push(performance.now() - sent);
    const { hash } = json as { readonly hash: string };
    while ((await archive.state(hash)) !== "searchable") {
      if (performance.now() - sent > DEADLINE_MS) throw new Error(`${hash} is not searchable after ${DEADLINE_MS} ms`);
      await sleep(LOOK_MS);
    }
    searchable.push(performance.now() - sent);
  };
  const started = performance.now();
  const sending: Promise<void>[] = [];
  for (let file = 0; file < FILES; file++) {
    const dueMs = started + (file * PAGES_PER_FILE * 1_000) / PAGES_PER_SECOND;
    await sleep(Math.max(0, dueMs - performance.now()));
    sending.push(send(file));
  }
  await Promise.all(sending);
  stop.abort();
  await Promise.all(asking);
  console.log(
    `\n${table(
      ["pages/s sent", "in CDX p50 ms", "p95 ms", "in full text p50 ms", "p95 ms", "longest ms"],
      [
        [
          PAGES_PER_SECOND,
          ...[0.5, 0.95].map((share) => percentile(captured, share)),
          ...[0.5, 0.95, 1].map((share) => percentile(searchable, share)),
        ],
      ],
    )}`,
  );
}

function html({ title, body, language }: ReturnType<typeof makePage>): string {
  return `<!doctype html><html lang="${language}"><title>${title}</title><p>${body}</p></html>`;
}
