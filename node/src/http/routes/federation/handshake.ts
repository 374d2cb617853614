/** `POST /api/v1/federation/handshake`: both rounds, and the document's own form of three fields. */
import type { TLSSocket } from "node:tls";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import { CHANNEL, DocumentHandshakeSchema, HANDSHAKE_PATH } from "../../../asfp/handshake.ts";
import { ASFP_LIMITS } from "../../../asfp/limits.ts";
import { HttpProblem } from "../../problem.ts";
import { ProblemReplies } from "../../schemas.ts";
import { FEDERATION_PATH } from "./sync-options.ts";

export interface HandshakeAnswers {
  /** @throws {HandshakeError} */
  answer(call: {
    readonly body: unknown;
    readonly authority: string;
    readonly channel: Uint8Array;
    readonly address: string;
  }): Promise<{ readonly status: 200 | 202; readonly body: object }>;
}

export interface HandshakeRoutesOptions {
  readonly handshakes: HandshakeAnswers;
}

const Reply = Type.Object({ status: Type.String(), challenge: Type.String() }, { additionalProperties: true });

export const handshakeRoutes: FastifyPluginAsyncTypebox<HandshakeRoutesOptions> = async (app, { handshakes }) => {
  app.post(
    `${FEDERATION_PATH}${HANDSHAKE_PATH}`,
    {
      bodyLimit: ASFP_LIMITS.handshakeBodyBytes,
      schema: {
        summary: "Prove to be a node, and get a session",
        // What the caller sends is checked by the service, so that what was signed is what is checked.
        body: DocumentHandshakeSchema,
        response: { 200: Reply, 202: Reply, ...ProblemReplies },
      },
      // Fastify's own check would turn members into the types that it expects.
      validatorCompiler: () => (body: unknown) => ({ value: body }),
      serializerCompiler: () => (reply: unknown) => JSON.stringify(reply),
    },
    async (request, reply) => {
      const { status, body } = await handshakes.answer({
        body: request.body,
        authority: request.headers.host ?? "",
        channel: channelOf(request),
        address: request.ip,
      });
      return reply
        .code(status)
        .header("cache-control", "no-store")
        .send(body as { status: string; challenge: string });
    },
  );
};

function channelOf(request: FastifyRequest): Uint8Array {
  const socket = request.raw.socket as Partial<TLSSocket>;
  if (socket.exportKeyingMaterial === undefined) throw new HttpProblem("bad-request", "handshakes need TLS");
  return socket.exportKeyingMaterial(CHANNEL.bytes, CHANNEL.label, Buffer.alloc(0));
}
