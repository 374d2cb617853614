/** Stands between two nodes and lets the bytes of one direction through no faster than the test says. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface PacedProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open and carried more than so many bytes towards whoever connected. */
  readonly carrying: (moreThanBytes: number) => number;
  /** From the next bytes on, for each connection. */
  readonly pace: (bytesPerSecond: number) => void;
}

/** @param targetPort - asked at each connection; of 127.0.0.1 */
export async function pacedProxy(targetPort: () => number, bytesPerSecond: number): Promise<PacedProxy> {
  let rate = bytesPerSecond;
  const open = new Map<Socket, number>();
  const carry = (caller: Socket): void => {
    const target = connect(targetPort(), "127.0.0.1");
    open.set(caller, 0);
    const end = (): void => {
      open.delete(caller);
      caller.destroy();
      target.destroy();
    };
    for (const socket of [caller, target]) socket.on("error", end).on("close", end);
    caller.pipe(target);
    target.on("data", (chunk: Buffer) => {
      caller.write(chunk);
      open.set(caller, (open.get(caller) ?? 0) + chunk.length);
      target.pause();
      setTimeout(() => target.resume(), (chunk.length / rate) * 1_000);
    });
  };
  const server = createServer(carry).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    carrying: (moreThanBytes) => [...open.values()].filter((bytes) => bytes > moreThanBytes).length,
    pace: (next) => {
      rate = next;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of [...open.keys()]) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
