/** Asks a running node through the socket in its data folder. */
import { request } from "node:http";
import type { CommandName, CommandParams, CommandResults } from "./commands.ts";
import type { ControlRefusal } from "./control-server.ts";
import { ControlError } from "./errors.ts";
import { withSocketPath } from "./socket-path.ts";

const ANSWER_MS = 30_000;
/** Nobody listens: there is no socket, or one that a killed process left. */
const NOBODY: ReadonlySet<unknown> = new Set(["ENOENT", "ECONNREFUSED", "ENOTDIR", "ENOTSOCK"]);

interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * @returns the command's result, or `undefined` when no node runs on the folder
 * @throws {ControlError} `REFUSED`, `NOT_ANSWERING`
 */
export async function askRunningNode<C extends CommandName>(
  dataDir: string,
  name: C,
  params: CommandParams<C>,
): Promise<{ readonly result: CommandResults[C] } | undefined> {
  try {
    const { status, text } = await withSocketPath(dataDir, (path) => post(path, name, JSON.stringify(params)));
    const body: unknown = JSON.parse(text);
    if (status === 200) return body as { readonly result: CommandResults[C] };
    throw new ControlError("REFUSED", { message: (body as ControlRefusal).message });
  } catch (error) {
    if (error instanceof ControlError) throw error;
    if (NOBODY.has((error as NodeJS.ErrnoException).code)) return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ControlError("NOT_ANSWERING", { path: dataDir, reason }, { cause: error });
  }
}

function post(socketPath: string, name: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath, path: `/${name}`, method: "POST", signal: AbortSignal.timeout(ANSWER_MS) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}
