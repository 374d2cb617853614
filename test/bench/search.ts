/**
 * Local search at 100,000 pages: answer times by kind of question, from the request to the presented page of 20 hits with
 * totals and facets, and the processor time that took (a busy machine stretches the former only), beside SQLite's own `ORDER BY bm25() LIMIT 40` over the same texts; index rate, disk, memory.
 * `BENCH_SEARCH_PAGES` makes it smaller, `BENCH_SEARCH_DIR` keeps the databases between runs.
 */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Registry } from "prom-client";
import { Indexer, type IndexerEvent } from "../../node/src/fulltext/indexer.ts";
import { openFullTextIndex } from "../../node/src/fulltext/reader-pool.ts";
import { createLocalSearch } from "../../node/src/search/local-search.ts";
import { createSearchMetrics } from "../../node/src/search/metrics.ts";
import { tempDir } from "../testkit/temp-dir.ts";
import { makePage, randomNumbers, usualWords, wordOf } from "./synthetic-pages.ts";
import { percentile, table } from "./table.ts";

const PAGES = Number(process.env["BENCH_SEARCH_PAGES"] ?? 100_000);
const PAGES_PER_BLOB = 1_000;
const WARM_UP = 10;
const QUESTIONS = 100;
const INDEX_MS = 30 * 60_000;
const ASK_MS = 30_000;
const PLAIN_HITS = 40;
/** The commonest words of the vocabulary; each stands in nearly every page. */
const COMMON_RANKS = [1, 20] as const;

interface Kind {
  readonly name: string;
  readonly make: (random: () => number) => string;
  /** The same question in FTS5's language. */
  readonly plain: (question: string) => string;
}

const between = (random: () => number, [from, to]: readonly [number, number]): number =>
  from + Math.floor(random() * (to - from));
const quoteAll = (question: string): string =>
  question
    .split(" ")
    .map((word) => `"${word}"`)
    .join(" AND ");

/** Two neighbouring words of some page, so that the phrase exists. */
function phrase(random: () => number): string {
  const words = makePage(Math.floor(random() * PAGES)).body.split(" ");
  const at = Math.floor(random() * (words.length - 1));
  return `"${words[at]} ${words[at + 1]}"`;
}

const KINDS: readonly Kind[] = [
  { name: "two words", make: (random) => usualWords(random, 2), plain: quoteAll },
  { name: "three words", make: (random) => usualWords(random, 3), plain: quoteAll },
  { name: "one common word", make: (random) => wordOf(between(random, COMMON_RANKS)), plain: quoteAll },
  {
    name: "two common words",
    make: (random) => `${wordOf(between(random, [1, 10]))} ${wordOf(between(random, [10, 20]))}`,
    plain: quoteAll,
  },
  { name: "phrase", make: phrase, plain: (question) => question },
  {
    name: "prefix",
    make: (random) => `${wordOf(between(random, [2_000, 20_000])).slice(0, 4)}*`,
    plain: (question) => `"${question.slice(0, -1)}"*`,
  },
  {
    name: "word and host",
    make: (random) => `${usualWords(random, 1)} host:site${between(random, [0, 500])}.example.org`,
    plain: (question) => quoteAll(question.split(" ")[0] ?? ""),
  },
];

const megabytes = (bytes: number): number => bytes / 1e6;
const sizeOf = async (file: string): Promise<number> => {
  const sizes = await Promise.all(["", "-wal"].map((suffix) => stat(`${file}${suffix}`).catch(() => undefined)));
  return sizes.reduce((sum, entry) => sum + (entry?.size ?? 0), 0);
};

/** Seconds that filling took; `undefined` when a database of an earlier run was there, so that no rate can be told. */
type FillTime = number | undefined;

async function fillIndex(file: string): Promise<FillTime> {
  const last = Math.ceil(PAGES / PAGES_PER_BLOB);
  const done = Promise.withResolvers<void>();
  let kept = false;
  const onEvent = (event: IndexerEvent): void => {
    if (event.kind === "set-aside") return;
    kept ||= event.kind === "ready" && event.sequence > 0;
    if (event.sequence >= last) done.resolve();
  };
  const indexer = new Indexer(
    {
      file,
      sourceModule: new URL("./synthetic-pages.ts", import.meta.url).href,
      sourceOptions: { pages: PAGES },
      pollMs: 60_000,
      ...{ program: "bench", stallMs: 120_000, heapMb: 1_024 },
    },
    { onEvent, onRestart: (error) => done.reject(error) },
  );
  const startedMs = performance.now();
  await indexer.start(AbortSignal.timeout(INDEX_MS));
  await done.promise;
  const seconds = (performance.now() - startedMs) / 1_000;
  await indexer.stop();
  return kept ? undefined : seconds;
}

function fillPlain(file: string): { readonly database: DatabaseSync; readonly seconds: FillTime } {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -131072");
  database.exec("CREATE VIRTUAL TABLE IF NOT EXISTS pages USING fts5(title, body, tokenize='porter unicode61')");
  const startedMs = performance.now();
  const held = Number(database.prepare("SELECT count(*) AS n FROM pages").get()?.["n"]);
  const insert = database.prepare("INSERT INTO pages VALUES (?, ?)");
  database.exec("BEGIN");
  for (let n = held; n < PAGES; n += 1) {
    const { title, body } = makePage(n);
    insert.run(title, body);
    if (n % 500 === 499) database.exec("COMMIT; BEGIN");
  }
  database.exec("COMMIT");
  return { database, seconds: held > 0 ? undefined : (performance.now() - startedMs) / 1_000 };
}

const rateCells = (seconds: FillTime): (string | number)[] =>
  seconds === undefined ? ["kept", ""] : [seconds, PAGES / seconds];

type Ask = (question: string, kind: Kind) => Promise<number>;

interface Timing {
  readonly wallMs: readonly number[];
  /** Processor time of all threads. */
  readonly cpuMs: readonly number[];
  /** Pages that matched, on average. */
  readonly found: number;
}

async function timeKind(kind: Kind, ask: Ask): Promise<Timing> {
  const random = randomNumbers(42);
  const wallMs: number[] = [];
  const cpuMs: number[] = [];
  let found = 0;
  for (let at = 0; at < WARM_UP + QUESTIONS; at += 1) {
    const question = kind.make(random);
    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    const total = await ask(question, kind);
    if (at < WARM_UP) continue;
    wallMs.push(performance.now() - startedMs);
    const { user, system } = process.cpuUsage(cpu);
    cpuMs.push((user + system) / 1_000);
    found += total;
  }
  return { wallMs, cpuMs, found: found / QUESTIONS };
}

const quantiles = (times: readonly number[]): number[] => [0.5, 0.95, 0.99].map((share) => percentile(times, share));

/** Both engines, kind by kind. */
async function compare(file: string, plain: DatabaseSync): Promise<(string | number)[][]> {
  const index = openFullTextIndex({ file, readers: 1, softMs: 1_000, hardMs: ASK_MS, queue: 10 });
  const search = createLocalSearch({
    index,
    scopeOf: (name) => ({ name, cutoff: undefined, exclude: [] }),
    metrics: createSearchMetrics(new Registry()),
    nowMs: () => performance.now(),
  });
  const request = { collections: ["web"], limit: 20, offset: 0, from: undefined, to: undefined };
  const ours: Ask = async (q) => (await search.search({ q, ...request }, AbortSignal.timeout(ASK_MS))).total;
  const select = plain.prepare(`SELECT rowid FROM pages WHERE pages MATCH ? ORDER BY bm25(pages) LIMIT ${PLAIN_HITS}`);
  const theirs: Ask = async (question, kind) => select.all(kind.plain(question)).length;
  const rows: (string | number)[][] = [];
  for (const kind of KINDS) {
    const { wallMs, cpuMs, found } = await timeKind(kind, ours);
    const rival = await timeKind(kind, theirs);
    const cpu = [percentile(cpuMs, 0.95), percentile(rival.cpuMs, 0.95)];
    rows.push([kind.name, Math.round(found), ...quantiles(wallMs), ...quantiles(rival.wallMs), ...cpu]);
  }
  await index.close();
  return rows;
}

export async function run(): Promise<void> {
  await using dir = await tempDir("bench-search");
  const folder = process.env["BENCH_SEARCH_DIR"] ?? dir.path;
  await mkdir(folder, { recursive: true });
  const file = join(folder, "fulltext.db");
  const plainFile = join(folder, "plain.db");
  const seconds = await fillIndex(file);
  const indexRss = process.memoryUsage().rss;
  const plain = fillPlain(plainFile);
  const rows = await compare(file, plain.database);
  const version = String(plain.database.prepare("SELECT sqlite_version() AS v").get()?.["v"]);
  plain.database.close();
  console.log(`${PAGES} pages, ${QUESTIONS} questions of each kind, milliseconds, SQLite ${version}\n`);
  const plainNames = ["bm25() p50", "bm25() p95", "bm25() p99"];
  const head = ["question", "pages found", "p50", "p95", "p99", ...plainNames, "CPU p95", "bm25() CPU p95"];
  console.log(table(head, rows));
  console.log(
    `\n${table(
      ["engine", "indexed in s", "pages/s", "disk MB", "process MB after indexing", "process MB at the end"],
      [
        [
          "full-text index",
          ...rateCells(seconds),
          megabytes(await sizeOf(file)),
          megabytes(indexRss),
          megabytes(process.memoryUsage().rss),
        ],
        ["plain FTS5", ...rateCells(plain.seconds), megabytes(await sizeOf(plainFile)), "", ""],
      ],
    )}`,
  );
}
