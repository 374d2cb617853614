/** `GET /`: says to a person, or a program, what this is, how to search it, and where the API is described. */
import type { FastifyPluginAsync } from "fastify";
import type { AccessPolicy } from "../../archive/access.ts";
import type { CallerOf } from "../authenticate.ts";

export interface WelcomeRoutesOptions {
  readonly access: AccessPolicy;
  readonly callerOf: CallerOf;
}

const CALLS = {
  search: "/api/v1/search?q=example",
  collections: "/api/v1/collections",
  api: "/api/v1/openapi.json",
} as const;
const lookUpOf = (collection: string) => `/${collection}/cdx?url=example.org`;

export const welcomeRoutes: FastifyPluginAsync<WelcomeRoutesOptions> = async (app, { access, callerOf }) => {
  app.get("/", { schema: { hide: true } as object }, (request, reply) => {
    const readable = access.allReadable(callerOf(request)).map(({ name }) => name);
    reply.header("vary", "Accept");
    if (request.headers.accept?.includes("text/html") !== true) {
      return { title: TITLE, ...CALLS, lookUps: readable.map(lookUpOf) };
    }
    return reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
      .send(page(readable));
  });
};

const TITLE = "A web archive";

/** Names of collections hold letters, digits, hyphens and underscores only. */
function page(collections: readonly string[]): string {
  const link = (href: string) => `<a href="${href}"><code>${href}</code></a>`;
  const lookUps = collections.map((name) => `<li>${link(lookUpOf(name))}</li>`).join("");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${TITLE}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}input{font:inherit;width:60%}</style>
<h1>${TITLE}</h1>
<p>This is an archive node of an ArchiveStream federation: it keeps web pages as they were recorded, and finds them again by
their text or their address. Answers are JSON; each page found has a <code>replay</code> link that shows it.</p>
<form action="/api/v1/search">
<label>Search the text of all pages <input name="q" type="search" required maxlength="1024"></label> <button>Search</button>
</form>
<h2>Look up an address</h2>
<ul>${lookUps === "" ? "<li>No collection can be read without the access token.</li>" : lookUps}</ul>
<h2>For programs</h2>
<p>All calls are described in ${link(CALLS.api)}, the collections that you may read are in ${link(CALLS.collections)}.</p>
</html>
`;
}
