/**
 * One question to nine archives with disjoint parts of a corpus, beside the same question to one node that holds all of it.
 * Then two of the eight peers are killed and their ports taken by listeners that accept and never answer.
 */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type ArchiveNodeProcess, startArchiveNode } from "../../testkit/archive-node-process.ts";
import { type NodeClient, nodeClient } from "../../testkit/node-client.ts";
import { runNodeCommand } from "../../testkit/node-command.ts";
import { NodeArchive, sha256Of } from "../../testkit/uploads.ts";
import { waitUntil } from "../../testkit/wait-until.ts";
import { gzipEach, httpResponse, warcinfo, warcRecord } from "../../testkit/warc-builder.ts";
import { htmlOf, makePage, randomNumbers, usualWords } from "../synthetic-pages.ts";
import { percentile, table } from "../table.ts";

const PEERS = 8;
const HOLES = 2;
const PAGES = Number(process.env["BENCH_FEDERATION_PAGES"] ?? 2_700);
const QUESTIONS = Number(process.env["BENCH_FEDERATION_QUESTIONS"] ?? 100);
const WARM_UP = 10;
const MEET_MS = 90_000;
const SHOWN = 20;

interface Asked {
  readonly ms: number;
  /** Peers to which the question went. */
  readonly selected: number;
  readonly answered: number;
}

interface SearchAnswer {
  readonly coverage: { readonly peers: { readonly selected: number; readonly answered: number } };
}

interface Archives {
  readonly whole: ArchiveNodeProcess;
  readonly first: ArchiveNodeProcess;
  readonly peers: readonly ArchiveNodeProcess[];
}

export async function run(): Promise<void> {
  await using cleanUp = new AsyncDisposableStack();
  const archives = await startAll(cleanUp);
  const { whole, first, peers } = archives;
  await fillAll(archives);
  await Promise.all(peers.map((peer) => introduce(first, peer)));
  const isAlive = async () => (await gauge(first, 'gossip_peers{state="alive"}')) === PEERS;
  await waitUntil(`${PEERS} peers to be alive`, isAlive, { deadlineMs: MEET_MS, everyMs: 500 });
  const [toWhole, toFirst] = [client(whole, cleanUp), client(first, cleanUp)];
  const random = randomNumbers(8);
  const questions = Array.from({ length: WARM_UP + QUESTIONS }, () => usualWords(random, 2));

  const alone: Asked[] = [];
  const together: Asked[] = [];
  for (const q of questions) {
    alone.push(await ask(toWhole, q, "local"));
    together.push(await ask(toFirst, q, "federation"));
  }
  const rows = [row("one index with everything", alone.slice(WARM_UP))];
  rows.push(row(`${PEERS} peers, all well`, together.slice(WARM_UP)));
  const states = [`all well: ${await breakers(first)}`];

  for (const peer of peers.slice(0, HOLES)) await becomeBlackHole(peer, cleanUp);
  const dark: Asked[] = [];
  for (const q of questions) dark.push(await ask(toFirst, q, "federation"));
  const tried = dark.map(({ selected }) => selected > PEERS - HOLES);
  const opened = tried.indexOf(false);
  states.push(
    `after ${questions.length} questions with black holes: ${await breakers(first)}`,
    `of the ${dark.length - opened} questions after the breakers opened, ${tried.slice(opened).filter(Boolean).length} tried a black hole again`,
  );
  rows.push(row(`${HOLES} of ${PEERS} black holes, until breakers open`, dark.slice(0, opened)));
  rows.push(row(`${HOLES} of ${PEERS} black holes, from then on`, dark.slice(opened)));
  console.log(table(["two words, 20 hits", "questions", "p50 ms", "p95 ms", "longest ms", "peers answered"], rows));
  console.log(`\n${states.map((state) => `- ${state}`).join("\n")}`);
}

async function startAll(cleanUp: AsyncDisposableStack): Promise<Archives> {
  const started = await Promise.all(
    Array.from({ length: PEERS + 2 }, async () => cleanUp.use(await startArchiveNode({ metrics: true }))),
  );
  const [whole, first, ...peers] = started;
  if (whole === undefined || first === undefined) throw new Error("no nodes were started");
  return { whole, first, peers };
}

async function fillAll({ whole, first, peers }: Archives): Promise<void> {
  const parts = [first, ...peers];
  const records = Array.from({ length: PAGES }, (_, n) => {
    const page = makePage(n);
    const { url: uri } = page;
    return warcRecord({ uri, block: httpResponse({ body: htmlOf(page) }), digest: false });
  });
  await Promise.all(
    parts.map((node, part) =>
      fill(
        node,
        records.filter((_record, n) => n % parts.length === part),
      ),
    ),
  );
  await fill(whole, records);
}

async function fill(node: ArchiveNodeProcess, records: readonly Buffer[]): Promise<void> {
  await using archive = new NodeArchive(node);
  const file = gzipEach([warcinfo(), ...records]);
  const { status, text } = await archive.upload(file);
  if (status !== 201) throw new Error(`upload answered ${status}: ${text}`);
  await archive.searchable(sha256Of(file));
}

/** Each is told of the other, as people would. */
async function introduce(one: ArchiveNodeProcess, other: ArchiveNodeProcess): Promise<void> {
  for (const [here, there] of [
    [one, other],
    [other, one],
  ] as const) {
    const added = await runNodeCommand("peer", "add", there.url, "--node-id", there.nodeId, "--data", here.dataDir);
    if (added.exitCode !== 0) throw new Error(added.stderr);
  }
}

/** Dies, and somebody sits at its port who accepts and never says a word. */
async function becomeBlackHole(peer: ArchiveNodeProcess, cleanUp: AsyncDisposableStack): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
  });
  await peer.kill();
  server.listen(Number(new URL(peer.url).port), "127.0.0.1");
  await once(server, "listening");
  cleanUp.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

function client(node: ArchiveNodeProcess, cleanUp: AsyncDisposableStack) {
  return { calls: cleanUp.use(nodeClient(node.url, { ca: node.caPem })), token: node.token };
}

async function ask(
  { calls, token }: { readonly calls: NodeClient; readonly token: string },
  q: string,
  scope: "local" | "federation",
): Promise<Asked> {
  const beganMs = performance.now();
  const path = `/api/v1/search?q=${encodeURIComponent(q)}&limit=${SHOWN}&scope=${scope}`;
  const { status, json, text } = await calls.call(path, { headers: { authorization: `Bearer ${token}` } });
  const ms = performance.now() - beganMs;
  if (status !== 200) throw new Error(`search answered ${status}: ${text}`);
  const { selected, answered } = (json as SearchAnswer).coverage.peers;
  return { ms, selected, answered };
}

function row(name: string, asked: readonly Asked[]): (string | number)[] {
  const times = asked.map(({ ms }) => ms);
  const answered = asked.reduce((sum, each) => sum + each.answered, 0) / asked.length;
  return [name, asked.length, percentile(times, 0.5), percentile(times, 0.95), Math.max(...times), answered];
}

async function gauge({ metricsUrl }: ArchiveNodeProcess, series: string): Promise<number> {
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`archivestream_${series} `));
  return Number(line?.split(" ").at(-1) ?? Number.NaN);
}

async function breakers(node: ArchiveNodeProcess): Promise<string> {
  const of = (series: string) => gauge(node, series);
  const calls = [await of('peer_breakers{state="open"}'), await of('peer_breakers{state="half_open"}')];
  const states = await Promise.all(["alive", "suspect", "dead"].map((state) => of(`gossip_peers{state="${state}"}`)));
  return (
    `breakers of questions open ${await of("search_breakers_open")}, of calls open ${calls[0]}, half open ${calls[1]}; ` +
    `peers alive ${states[0]}, suspect ${states[1]}, dead ${states[2]}`
  );
}
