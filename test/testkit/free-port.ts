/** Picks TCP ports on loopback for servers that must be told their port before they start. */
import { createServer } from "node:net";

function listen(): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("a TCP server has an address object");
      resolve({ port: address.port, close: () => new Promise<void>((done) => server.close(() => done())) });
    });
  });
}

/**
 * Distinct ports of 127.0.0.1 that nothing listens on now.
 *
 * All are held open until the last one is known, so one call never returns a port twice. Another process can take a
 * port before the caller does; servers that can bind port 0 themselves should do that instead.
 *
 * @param count - how many; integer >= 1
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held = await Promise.all(Array.from({ length: count }, listen));
  await Promise.all(held.map((one) => one.close()));
  return held.map((one) => one.port);
}

/** One port of 127.0.0.1 that nothing listens on now; see {@link freePorts}. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error("no free port");
  return port;
}
