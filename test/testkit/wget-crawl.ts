/** A real `.warc.gz` of several hundred records: GNU wget crawls a generated site on loopback. */
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { tempDir } from "./temp-dir.ts";

const CRAWL_MS = 120_000;
const LINKS_PER_PAGE = 8;

export function wgetIsThere(): boolean {
  try {
    execFileSync("wget", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** @param pages - of the site; each becomes a request and a response */
export async function crawledByWget(pages: number): Promise<Buffer> {
  await using folder = await tempDir("wget");
  const server = createServer(site(pages));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const warc = join(folder.path, "crawl");
    await wget(["-q", "-r", "-l", "inf", `--warc-file=${warc}`, `http://127.0.0.1:${port}/0.html`], folder.path);
    return await readFile(`${warc}.warc.gz`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Exit status 8: a server answered an error; the site has such pages on purpose. */
async function wget(args: readonly string[], cwd: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    execFile("wget", args, { cwd, timeout: CRAWL_MS }, (error) => {
      if (error === null || error.code === 8) resolve();
      else reject(error);
    });
  });
}

/** A tree of pages; every tenth is chunked, every fifteenth redirects, every twentieth is missing. */
function site(pages: number): RequestListener {
  return (request, response) => {
    const number = pageNumber(request.url);
    if (!(number < pages) || isEvery(20, number)) {
      response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
    } else if (isEvery(15, number)) {
      response.writeHead(302, { location: `/${number - 1}.html` }).end();
    } else {
      const body = pageOf(number, pages);
      const length = number % 10 === 3 ? {} : { "content-length": Buffer.byteLength(body) };
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...length }).end(body);
    }
  };
}

function pageNumber(url: string | undefined): number {
  return Number(/^\/(\d+)\.html$/.exec(url ?? "")?.[1] ?? Number.NaN);
}

/** The first page, from which the crawl starts, is always whole. */
const isEvery = (step: number, number: number) => number > 0 && number % step === 0;

function pageOf(number: number, pages: number): string {
  const children = Array.from({ length: LINKS_PER_PAGE }, (_, index) => number * LINKS_PER_PAGE + index + 1);
  const links = children.filter((child) => child < pages).map((child) => `<a href="/${child}.html">${child}</a>`);
  const text = Array.from({ length: 20 + (number % 60) }, (_, index) => `word${(number * 31 + index * 7) % 997}`);
  return `<!doctype html><title>Page ${number}</title><p>${text.join(" ")}</p>${links.join("\n")}`;
}
