/** Crawls the documentation site with GNU wget into WARC files, once; they stay in the cache. Node 20, no dependencies. */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CACHE } from "../cluster/cache-folder.mjs";
import { once } from "../cluster/once.mjs";
import { logged } from "../run/command.mjs";
import { SITE_URL, serveSite } from "./documentation-site.mjs";

const FOLDER = join(CACHE, "demo-crawl");

/** What a reader can type to do the same. Files of about 1 MB: enough of them that each archive of the demo gets some. */
export const WGET = [
  "wget --mirror --no-verbose --delete-after --no-directories",
  "--warc-file=manual --warc-max-size=1M --warc-tempdir=.",
  SITE_URL,
].join(" ");

function archives() {
  if (!existsSync(FOLDER)) return [];
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".warc.gz"));
  return names.sort().map((name) => join(FOLDER, name));
}

/** @returns {Promise<string[]>} paths of the WARC files */
export async function crawlSite() {
  await once("demo-crawl", WGET, crawl, {
    title: "crawl the PostgreSQL manual with wget",
    expectedMs: 15_000,
    present: () => archives().length > 0,
  });
  return archives();
}

async function crawl() {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const stop = await serveSite();
  try {
    // Exit code 8: the server answered an error to some request. A site with one dead link is still a crawl.
    await logged("demo-crawl", "bash", ["-c", `${WGET} || [ $? = 8 ]`], { cwd: FOLDER });
  } finally {
    stop();
  }
}
