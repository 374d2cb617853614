/**
 * `GET /{collection}/{timestamp}id_/{url}`: the capture as it was recorded.
 *
 * Archived content is a stranger's: it runs in a sandboxed origin of its own, may set no cookie, and its headers come
 * back under `X-Archive-Orig-`, as in the Wayback Machine and pywb; only those that say what the body is keep their
 * names. A redirect leads to the archived target, never to the live web.
 */
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import type { AccessPolicy } from "../../archive/access.ts";
import type { RawCaptureService } from "../../archive/archive.ts";
import type { CallerOf } from "../authenticate.ts";
import { replayHeaders } from "../capture-headers.ts";
import { HttpProblem } from "../problem.ts";
import { deadlineSignal } from "../request-signal.ts";
import { CollectionName, ProblemReplies, textReply } from "../schemas.ts";
import { sendCaptureBody } from "../send-capture.ts";

export interface CaptureRoutesOptions {
  readonly captures: RawCaptureService;
  readonly access: AccessPolicy;
  readonly callerOf: CallerOf;
  /** Budget to find the capture, milliseconds; sending it may take as long as the client needs. */
  readonly deadlineMs: number;
}

const STAMP = /^(\d{1,14})id_$/;
export const captureRoutes: FastifyPluginAsyncTypebox<CaptureRoutesOptions> = async (app, options) => {
  app.get(
    "/:collection/:stamp/*",
    {
      schema: {
        summary: "A capture as it was recorded",
        description: "`stamp` is 1 to 14 digits and `id_`; the nearest capture answers.",
        params: Type.Object({ collection: CollectionName, stamp: Type.String(), "*": Type.String() }),
        response: { "2xx": textReply("As recorded", "*/*"), "3xx": textReply("As recorded", "*/*"), ...ProblemReplies },
      },
    },
    async (request, reply) => {
      const timestamp = STAMP.exec(request.params.stamp)?.[1];
      if (timestamp === undefined) throw new HttpProblem("not-found", "expected /{collection}/{timestamp}id_/{url}");
      const { name } = options.access.readable(options.callerOf(request), request.params.collection);
      return sendCapture(request, reply, { collection: name, timestamp }, options);
    },
  );
};

async function sendCapture(
  request: FastifyRequest,
  reply: FastifyReply,
  { collection, timestamp }: { readonly collection: string; readonly timestamp: string },
  { captures, deadlineMs }: CaptureRoutesOptions,
): Promise<FastifyReply> {
  const url = archivedUrl(request.originalUrl);
  const open = () => captures.nearest(collection, timestamp, url, deadlineSignal(request, deadlineMs));
  const capture = await open();
  if (capture === undefined) throw new HttpProblem("capture-unknown", "this URL is not in the collection");
  setStatus(reply, capture.status);
  for (const [name, value] of replayHeaders(capture, collection)) appendHeader(reply, name, value);
  return sendCaptureBody(request, reply, capture, open);
}

/** Any number that can be sent; fastify itself takes those of the standard only. */
function setStatus(reply: FastifyReply, status: number): void {
  reply.code(200);
  if (status >= 200 && status <= 999) reply.raw.statusCode = status;
  else reply.header("X-Archive-Orig-Status", String(status));
}

/** The URL after the third slash exactly as sent, query included; proxies that merge slashes are forgiven. */
function archivedUrl(requestUrl: string): string {
  const rest = requestUrl.split("/").slice(3).join("/");
  if (rest === "") throw new HttpProblem("bad-request", "no URL after the timestamp");
  const repaired = rest.replace(/^(https?|ftp):\/+/i, "$1://");
  return /^[a-z][a-z0-9+.-]*:/i.test(repaired) ? repaired : `http://${repaired}`;
}

function appendHeader(reply: FastifyReply, name: string, value: string): void {
  const held = reply.getHeader(name);
  if (held === undefined) reply.header(name, value);
  else reply.header(name, [...(Array.isArray(held) ? held : [String(held)]), value]);
}
