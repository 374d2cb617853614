/** `GET /{collection}/cdx`: look-ups in pywb's dialect. Parameters go to the dialect untouched. */
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import Type from "typebox";
import type { AccessPolicy } from "../../archive/access.ts";
import type { CdxService } from "../../archive/cdx-service.ts";
import type { CallerOf } from "../authenticate.ts";
import { deadlineSignal } from "../request-signal.ts";
import { CollectionName, ProblemReplies, textReply } from "../schemas.ts";
import { sendHeadOnly, sendText } from "../stream-reply.ts";

export interface CdxRoutesOptions {
  readonly cdx: CdxService;
  readonly access: AccessPolicy;
  readonly callerOf: CallerOf;
  /** Whole-request budget, milliseconds; long answers are read in pages. */
  readonly deadlineMs: number;
}

export const cdxRoutes: FastifyPluginAsyncTypebox<CdxRoutesOptions> = async (app, options) => {
  app.get(
    "/:collection/cdx",
    {
      schema: {
        summary: "Captures of a URL, as pywb's CDX server answers",
        params: Type.Object({ collection: CollectionName }),
        response: {
          200: textReply(
            "Lines of the chosen output",
            "text/x-cdxj",
            "text/x-ndjson",
            "text/plain",
            "application/json",
            "application/link-format",
          ),
          ...ProblemReplies,
        },
      },
    },
    async (request, reply) => {
      const { name } = options.access.readable(options.callerOf(request), request.params.collection);
      const queryStart = request.url.indexOf("?");
      const params = new URLSearchParams(queryStart < 0 ? "" : request.url.slice(queryStart + 1));
      const answer = await options.cdx.query(name, params, deadlineSignal(request, options.deadlineMs));
      reply.header("content-type", answer.contentType);
      if (request.method === "HEAD") return sendHeadOnly(reply);
      return sendText(reply, answer.lines);
    },
  );
};
