/** The frame of the OpenAPI 3.1 document; paths come from the routes' own schemas. */
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";

export const OPENAPI: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "ArchiveStream node",
      description: "Web archive files in, captures and full-text search out. Errors are RFC 9457 problems.",
      version: "1.0",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
  },
};
