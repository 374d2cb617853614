/** The frame of the OpenAPI 3.1 document; paths come from the routes' own schemas. */
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";

export const OPENAPI: FastifyDynamicSwaggerOptions = {
  transform: ({ schema, url }) => ({ schema: { ...schema, querystring: defaultsOptional(schema?.querystring) }, url }),
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

interface ParameterSchema {
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

/** A parameter with a default need not be sent. The handler always gets it, so that its type says it is there. */
function defaultsOptional(querystring: unknown): unknown {
  const { properties = {}, required } = (querystring ?? {}) as ParameterSchema;
  if (required === undefined) return querystring;
  return { ...(querystring as object), required: required.filter((name) => !("default" in (properties[name] ?? {}))) };
}
