/** Picks TCP ports on loopback for servers that must be told their port before they start. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below the ports that Linux gives to outgoing connections (32768 and up) and to NodePorts (30000 and up): a port that
 * nothing listens on stays free until its server binds it, however many connections are opened meanwhile.
 */
const PORTS = { first: 12_000, end: 30_000 };
/** Every port of a machine taken is not the reason when this many draws fail. */
const MOST_DRAWS = 200;

/**
 * Test files that run at the same time draw from different ports, by the number of their worker: seconds lie between a draw and
 * the server that binds it, in which the other worker draws too.
 */
const WORKERS = 8;
const OWN = Number(process.env["VITEST_POOL_ID"] ?? 0) % WORKERS;
const DRAWS = Math.floor((PORTS.end - PORTS.first) / WORKERS);

/** Handed out by this process: their servers may yet have to bind them. */
const given = new Set<number>();

type HeldPort = { readonly port: number; readonly close: () => Promise<void> };

/** Holds the port; undefined when someone else listens on it. */
function hold(port: number): Promise<HeldPort | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(port, "127.0.0.1", () => {
      resolve({ port, close: () => new Promise<void>((done) => server.close(() => done())) });
    });
  });
}

async function holdAny(): Promise<HeldPort> {
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const port = PORTS.first + OWN + WORKERS * randomInt(DRAWS);
    if (given.has(port)) continue;
    given.add(port);
    const held = await hold(port);
    if (held !== undefined) return held;
  }
  throw new Error(`no free port in ${MOST_DRAWS} draws from ${PORTS.first} to ${PORTS.end - 1}: see "ss -ltn"`);
}

/**
 * Distinct ports of 127.0.0.1 that nothing listens on now. A process gets no port twice, and processes of different workers
 * never get the same; others draw at random.
 *
 * @param count - how many; integer >= 1
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held = await Promise.all(Array.from({ length: count }, holdAny));
  await Promise.all(held.map((one) => one.close()));
  return held.map((one) => one.port);
}

/** One port of 127.0.0.1 that nothing listens on now; see {@link freePorts}. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error("no free port");
  return port;
}
