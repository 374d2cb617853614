/** Bytes over TLS as a careless or hostile client sends them, which no HTTP library would. */
import { connect, type TLSSocket } from "node:tls";

export interface RawConnection extends Disposable {
  readonly socket: TLSSocket;
  /** Everything received so far. */
  readonly received: () => string;
  /** Resolves when the other side has closed. */
  readonly closed: Promise<void>;
}

export async function rawTls(url: string, ca: string): Promise<RawConnection> {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(url).port), servername: "localhost", ca });
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  const closed = new Promise<void>((done) => socket.once("close", () => done()));
  await new Promise<void>((done, failed) => {
    socket.once("secureConnect", done);
    socket.once("error", failed);
  });
  // From here on a reset is an expected end, seen through `closed`.
  socket.on("error", () => {});
  return { socket, received: () => text, closed, [Symbol.dispose]: () => void socket.destroy() };
}

/** Status and parsed body of the one HTTP answer in `received`. */
export function parseAnswer(received: string): { readonly status: number; readonly json: unknown } {
  const [head = "", body = ""] = received.split("\r\n\r\n", 2);
  const json: unknown = body.startsWith("{") ? JSON.parse(body) : undefined;
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), json };
}
