/** Checks a JSON body as it is: what fastify checks by itself, it changes to fit first, as parameters of a URL need. */
import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import Value from "typebox/value";

/** For routes with a body and no other parameters. */
export const strictBody: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  return (body: unknown) => {
    if (Value.Check(schema, body)) return { value: body };
    const [first] = Value.Errors(schema, body);
    const where = first?.instancePath ?? "";
    return { error: new Error(`body${where} ${first?.message ?? "does not match the schema"}`) };
  };
};
