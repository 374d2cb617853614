/** Reads a peer's answer up to a limit. */
import { PeerError } from "../errors.ts";

/** @throws {PeerError} `ANSWER_TOO_LARGE`; the rest is then not read */
export async function readUpTo(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new PeerError("ANSWER_TOO_LARGE", { maxBytes });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `undefined` when there is nothing. @throws {PeerError} `BAD_ANSWER` */
export function parseAnswer(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new PeerError("BAD_ANSWER", { reason: "it is not JSON" }, { cause: error });
  }
}
