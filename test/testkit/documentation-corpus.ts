/**
 * Two real books as a corpus for search: the Debian packages of the PostgreSQL 15 and Python 3.11 documentation, about
 * 1,650 HTML pages, with the books' own indexes as known answers. Downloaded once with apt-get (no installation, no root
 * rights needed beyond a readable package list), unpacked under `~/.cache/archive-operator/corpora`.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Parser } from "htmlparser2";

const run = promisify(execFile);
const CORPORA = join(homedir(), ".cache", "archive-operator", "corpora");
const DOWNLOAD_MS = 240_000;

interface Book {
  readonly name: string;
  readonly package: string;
  readonly folder: string;
  readonly host: string;
  readonly isIndex: (file: string) => boolean;
}

const BOOKS: readonly Book[] = [
  {
    name: "postgresql",
    package: "postgresql-doc-15",
    folder: "usr/share/doc/postgresql-doc-15/html",
    host: "postgresql.example.org",
    isIndex: (file) => file === "bookindex.html",
  },
  {
    name: "python",
    package: "python3.11-doc",
    folder: "usr/share/doc/python3.11/html",
    host: "python.example.org",
    isIndex: (file) => file === "genindex-all.html",
  },
];

export interface CorpusPage {
  readonly url: string;
  readonly file: string;
}

export interface KnownAnswer {
  readonly query: string;
  /** Pages that the book's index names for this entry. */
  readonly urls: readonly string[];
}

export interface Corpus {
  readonly pages: readonly CorpusPage[];
  /** Entries of each book's index. */
  readonly answers: readonly (readonly KnownAnswer[])[];
}

async function unpack(book: Book): Promise<string> {
  const target = join(CORPORA, book.package);
  if (existsSync(target)) return target;
  await mkdir(CORPORA, { recursive: true });
  const work = await mkdtemp(join(CORPORA, `.${book.package}-`));
  try {
    await run("apt-get", ["download", book.package], { cwd: work, timeout: DOWNLOAD_MS });
    const deb = (await readdir(work)).find((name) => name.endsWith(".deb"));
    if (deb === undefined) throw new Error(`apt-get download ${book.package} left no package`);
    await run("dpkg-deb", ["-x", deb, "tree"], { cwd: work, timeout: DOWNLOAD_MS });
    await rename(join(work, "tree"), target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return target;
}

/** Pages that only list links (indexes, search forms) are left out: they answer every question and explain nothing. */
const LISTS = /(^|\/)(bookindex|genindex|search|py-modindex|contents|download)[^/]*\.html$/;

async function pagesOf(book: Book, root: string): Promise<CorpusPage[]> {
  const files = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(".html"));
  return files
    .filter((name) => !LISTS.test(name))
    .toSorted()
    .map((name) => ({ url: `https://${book.host}/docs/${name}`, file: join(root, name) }));
}

/** Index entries: the text before or inside each link of a `dt` or `li`, with the pages it leads to. */
async function answersOf(book: Book, root: string, held: ReadonlySet<string>): Promise<KnownAnswer[]> {
  const [file] = (await readdir(root)).filter(book.isIndex);
  if (file === undefined) throw new Error(`${book.package} has no index page`);
  const html = await readFile(join(root, file), "utf8");
  const found = new Map<string, Set<string>>();
  for (const { text, hrefs } of book.name === "postgresql" ? docbookEntries(html) : sphinxEntries(html)) {
    const query = text.replace(/\s+/g, " ").trim();
    const urls = hrefs
      .map((href) => `https://${book.host}/docs/${href.replace(/#.*$/s, "")}`)
      .filter((url) => held.has(url));
    if (query.length < 3 || urls.length === 0) continue;
    const known = found.get(query) ?? new Set();
    for (const url of urls) known.add(url);
    found.set(query, known);
  }
  return [...found].map(([query, urls]) => ({ query, urls: [...urls] }));
}

interface Entry {
  text: string;
  hrefs: string[];
}

/** `<dt>entry, <a class="indexterm" href=…>Section</a>, …</dt>` */
function docbookEntries(html: string): Entry[] {
  const entries: Entry[] = [];
  let entry: Entry | undefined;
  let inLink = 0;
  const parser = new Parser({
    onopentag: (name, { href }) => {
      if (name === "dt") entry = { text: "", hrefs: [] };
      if (name === "a" && href !== undefined) {
        inLink += 1;
        entry?.hrefs.push(href);
      }
    },
    onclosetag: (name) => {
      if (name === "a") inLink = Math.max(0, inLink - 1);
      if (name !== "dt" || entry === undefined) return;
      entries.push({ ...entry, text: entry.text.replace(/[,\s]+$/, "").replace(/\s*\(see also.*$/s, "") });
      entry = undefined;
    },
    ontext: (text) => {
      if (entry !== undefined && inLink === 0) entry.text += text.replace(/^\s*,\s*$/, " ");
    },
  });
  parser.end(html);
  return entries;
}

/** `<li><a href=…>entry</a>`; further links are `[1]` and belong to the same entry. */
function sphinxEntries(html: string): Entry[] {
  const entries: Entry[] = [];
  let link: Entry | undefined;
  const parser = new Parser({
    onopentag: (name, { href }) => {
      if (name === "a" && href?.includes("#")) link = { text: "", hrefs: [href] };
    },
    onclosetag: (name) => {
      if (name !== "a" || link === undefined) return;
      if (/^\[\d+\]$/.test(link.text.trim())) entries.at(-1)?.hrefs.push(...link.hrefs);
      else entries.push(link);
      link = undefined;
    },
    ontext: (text) => {
      if (link !== undefined) link.text += text;
    },
  });
  parser.end(html);
  return entries;
}

/** The corpus, downloaded when it is not there yet. */
export async function openCorpus(): Promise<Corpus> {
  const pages: CorpusPage[] = [];
  const answers: (readonly KnownAnswer[])[] = [];
  for (const book of BOOKS) {
    const root = join(await unpack(book), book.folder);
    const own = await pagesOf(book, root);
    pages.push(...own);
    answers.push(await answersOf(book, root, new Set(own.map(({ url }) => url))));
  }
  return { pages, answers };
}
