/**
 * Bench `ingest`: files of pages over HTTPS into a node; MB/s, pages/s, from file sent to captures visible, and how long
 * the node's main loop was held up meanwhile, with searches beside the uploads. Then the lag of the indexes at a steady pace.
 */
import { randomBytes } from "node:crypto";
import { type ArchiveNodeProcess, startArchiveNode } from "../testkit/archive-node-process.ts";
import { NodeArchive, sampleFile } from "../testkit/uploads.ts";
import { showIndexLag } from "./index-lag.ts";
import { percentile, table } from "./table.ts";

const FILES = Number(process.env["BENCH_INGEST_FILES"] ?? 40);
const PAGES = 500;
/** Makes a page about 14 kB, 10 kB of it incompressible. */
const PADDING_BYTES = 10_240;
const SENDERS = [1, 4];

export async function run(): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const senders of SENDERS) rows.push(await measure(senders));
  console.log(
    table(
      [
        ...["senders", "MB/s", "pages/s", "upload p50 ms", "upload p95 ms", "visible p50 ms", "visible p95 ms"],
        ...["loop p50 ms", "loop p99 ms", "loop max ms"],
      ],
      rows,
    ),
  );
  await showIndexLag();
}

async function measure(senders: number): Promise<(string | number)[]> {
  await using node = await startArchiveNode({ metrics: true });
  await using archive = new NodeArchive(node);
  const padding = randomBytes(PADDING_BYTES);
  const files = Array.from({ length: FILES }, (_none, id) => sampleFile({ name: `n${id}`, pages: PAGES, padding }));
  const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
  const answered: number[] = [];
  const visible: number[] = [];
  const waiting = files.values();
  const started = performance.now();
  const sender = async (): Promise<void> => {
    for (const file of waiting) {
      const begun = performance.now();
      const { status } = await archive.upload(file.bytes);
      if (status !== 201) throw new Error(`upload answered ${status}`);
      answered.push(performance.now() - begun);
      if ((await archive.cdx(file.urls[0] ?? "")).length === 0) throw new Error("acknowledged and not visible");
      visible.push(performance.now() - begun);
    }
  };
  // The delay is told since the last scrape: what came before the load is not counted.
  await loopDelays(node);
  let isSending = true;
  const asker = async (): Promise<void> => {
    while (isSending) await archive.search(files[0]?.word ?? "");
  };
  const asking = asker();
  await Promise.all(Array.from({ length: senders }, sender));
  const seconds = (performance.now() - started) / 1000;
  const delays = await loopDelays(node);
  isSending = false;
  await asking;
  const shares = [answered, visible].flatMap((values) => [percentile(values, 0.5), percentile(values, 0.95)]);
  return [senders, bytes / 1e6 / seconds, (FILES * PAGES) / seconds, ...shares, ...delays];
}

/** Delays of the node's main loop since the last call: median, 99th percentile and longest, milliseconds. */
async function loopDelays(node: ArchiveNodeProcess): Promise<readonly number[]> {
  const text = await (await fetch(`${node.metricsUrl}/metrics`)).text();
  return ["0.5", "0.99", "1"].map((quantile) => {
    const line = new RegExp(`^archivestream_node_event_loop_delay_seconds\\{quantile="${quantile}"\\} (\\S+)$`, "m");
    return Number(line.exec(text)?.[1]) * 1_000;
  });
}
