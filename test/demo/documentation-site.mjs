/**
 * The site that the demo archives: the PostgreSQL manual of the Debian package postgresql-doc-15, about 1,100 pages,
 * behind a plain web server on loopback. As a script it serves until it is stopped, for those who repeat the demo by
 * hand: `node test/demo/documentation-site.mjs`. Node 20, no dependencies.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { runScript } from "../run/script.mjs";
import { PlainError } from "../run/steps.mjs";

export const SITE_PACKAGE = "postgresql-doc-15";
const FOLDER = `/usr/share/doc/${SITE_PACKAGE}/html`;
/** Fixed: the address becomes part of what is archived. */
const PORT = 8015;
export const SITE_URL = `http://127.0.0.1:${PORT}/`;

const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png" };

async function answer(request, response) {
  const path = normalize(decodeURIComponent(new URL(request.url, SITE_URL).pathname));
  const file = join(FOLDER, path.endsWith("/") ? `${path}index.html` : path);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile() || !["GET", "HEAD"].includes(request.method)) {
    response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
    return;
  }
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": found.size,
    "last-modified": found.mtime.toUTCString(),
  });
  if (request.method === "HEAD") response.end();
  else
    createReadStream(file)
      .on("error", (error) => response.destroy(error))
      .pipe(response);
}

/**
 * @param {number} port another one in tests only
 * @returns {Promise<() => void>} ends the server
 * @throws {PlainError} the port is taken
 */
export function serveSite(port = PORT) {
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.destroy(error));
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const taken = `Port ${port} of 127.0.0.1 is taken, and the demo's web site needs it. Stop what listens there (ss -ltnp 'sport = :${port}') and run this again.`;
      reject(error.code === "EADDRINUSE" ? new PlainError(taken) : error);
    });
    server.listen(port, "127.0.0.1", () => resolve(() => server.close().closeAllConnections()));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const serve = async () => {
    await serveSite();
    process.stdout.write(`The manual is at ${SITE_URL}; stop with Ctrl-C.\n`);
  };
  await runScript(serve, { whenStopped: "" });
}
