/**
 * Prints how many bytes of heap each of many requests left behind. A process of its own, because it needs the garbage
 * collector at hand and a heap in which nothing else happens.
 *
 * Argument: URL of the API server. Run with `--expose-gc`.
 */
import { connectTo } from "./kube-connection.ts";

const WARM_UP = 1_000;
const REQUESTS = 5_000;
const AT_A_TIME = 8;

/** Finalizers run between collections. */
async function heapBytes(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

const { client, ...connection } = connectTo(process.argv[2] ?? "");
const stop = new AbortController();

async function request(count: number): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await client.request({ method: "GET", path: "/version" }, stop.signal);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

await request(WARM_UP);
const before = await heapBytes();
await request(REQUESTS);
process.stdout.write(String(Math.round(((await heapBytes()) - before) / REQUESTS)));
await connection[Symbol.asyncDispose]();
