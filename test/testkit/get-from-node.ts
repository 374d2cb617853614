/** One GET of a node's federation listener, its own certificate trusted. */
import { request } from "node:https";
import type { ArchiveNodeProcess } from "./archive-node-process.ts";

const GET_MS = 30_000;

export interface NodeReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export function getFrom(
  node: Pick<ArchiveNodeProcess, "url" | "caPem">,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<NodeReply> {
  return new Promise((resolve, reject) => {
    const options = { ca: node.caPem, headers, agent: false, signal: AbortSignal.timeout(GET_MS) };
    const call = request(`${node.url}${path}`, options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers as NodeReply["headers"], body });
      });
    });
    call.on("error", reject);
    call.end();
  });
}
