/**
 * What every full-text index must do, whatever engine is behind it, seen through the search that asks it. Call it from the
 * test of an implementation. Ranking has a test of its own (`test/node/relevance.test.ts`).
 */
import { expect, test } from "vitest";
import type { CollectionScope, Question } from "../../node/src/fulltext/question.ts";
import type { FullTextArchive } from "../testkit/full-text-archive.ts";
import type { ListedCapture } from "../testkit/listed-captures.ts";

export type FullTextUnderTest = Pick<FullTextArchive, "add" | "ask" | "index"> & AsyncDisposable;
type ScopeOf = (collection: string) => CollectionScope | undefined;

const page = (path: string, text: string, more: Partial<ListedCapture> = {}): ListedCapture => ({
  ...{ url: `https://example.org/${path}`, timestamp: "20200101000000", digest: text, text },
  ...more,
});
const html = (title: string, body: string): string => `<html><title>${title}</title><p>${body}</p></html>`;

export function fullTextIndexCompliance(name: string, make: (scopeOf?: ScopeOf) => Promise<FullTextUnderTest>): void {
  const urlsOf = async (archive: FullTextUnderTest, q: string, request = {}) =>
    (await archive.ask(q, request)).hits.map((hit) => new URL(hit.url).pathname).toSorted();

  test(`${name}: words, phrases, prefixes, fields and exclusions find what they say`, async () => {
    await using archive = await make();
    await archive.add([
      page("fruit", html("Orchard", "red apples and green pears")),
      page("colour", html("Paint", "green apples of red clay")),
      page("letter", "plain apple juice", { mime: "text/plain" }),
    ]);
    expect(await urlsOf(archive, "apples")).toEqual(["/colour", "/fruit", "/letter"]);
    expect(await urlsOf(archive, '"green pears"')).toEqual(["/fruit"]);
    expect(await urlsOf(archive, "orch*")).toEqual(["/fruit"]);
    expect(await urlsOf(archive, "title:paint")).toEqual(["/colour"]);
    expect(await urlsOf(archive, "apples -green")).toEqual(["/letter"]);
    expect(await urlsOf(archive, '"pears apples"')).toEqual([]);
    expect(await urlsOf(archive, "host:example.org juice")).toEqual(["/letter"]);
  });

  test(`${name}: captures of one text are one hit with a timeline; a revisit joins, whichever comes first`, async () => {
    await using archive = await make();
    const text = html("News", "unchanged headline");
    const revisit = page("news", text, { timestamp: "20220101000000", revisit: true });
    await archive.add([revisit]);
    expect(await urlsOf(archive, "headline")).toEqual([]);
    await archive.add([page("news", text)]);
    await archive.add([page("news", text, { timestamp: "20180101000000" })]);
    const { hits, total } = await archive.ask("headline");
    expect(total).toBe(1);
    expect(hits.map(({ timestamp, captures }) => ({ timestamp, captures }))).toEqual([
      { timestamp: "20220101000000", captures: { count: 3, first: "20180101000000", last: "20220101000000" } },
    ]);
    expect((await archive.ask("headline", { to: "2019" })).hits[0]?.timestamp).toBe("20180101000000");
    expect(await urlsOf(archive, "headline", { from: "2023" })).toEqual([]);
  });

  test(`${name}: what a collection hides is neither found nor counted`, async () => {
    const rules: Readonly<Record<string, CollectionScope>> = {
      web: { name: "web", cutoff: 20210101000000, exclude: ["org,example,www)/private"] },
      other: { name: "other", cutoff: undefined, exclude: [] },
    };
    await using archive = await make((collection) => rules[collection]);
    await archive.add([
      page("open", html("a", "shared word")),
      page("late", html("b", "shared word late"), { timestamp: "20220101000000" }),
      { ...page("x", html("c", "shared word hidden")), url: "https://www.example.org/private/x" },
    ]);
    await archive.add([page("elsewhere", html("d", "shared word elsewhere"))], "other");
    const { total, facets } = await archive.ask("shared");
    expect([await urlsOf(archive, "shared"), total]).toEqual([["/open"], 1]);
    expect(facets.host.reduce((sum, { count }) => sum + count, 0)).toBe(1);
    expect(await urlsOf(archive, "shared", { collections: ["other"] })).toEqual(["/elsewhere"]);
    expect(await urlsOf(archive, "shared", { collections: ["web", "other"] })).toEqual(["/elsewhere", "/open"]);
    expect(await urlsOf(archive, "shared", { collections: ["unknown"] })).toEqual([]);
  });

  test(`${name}: archived markup never reaches a snippet`, async () => {
    await using archive = await make();
    const evil = '&lt;img src=x onerror=alert(1)&gt; needle <b>bold</b> &lt;script&gt;alert("needle")&lt;/script&gt;';
    await archive.add([page("evil", html("&lt;i&gt;title", evil))]);
    const [hit] = (await archive.ask("needle")).hits;
    expect(hit?.snippet).toContain("<mark>needle</mark>");
    expect(hit?.snippet.replaceAll(/<\/?mark>/g, "")).not.toMatch(/[<>"]/);
  });

  test(`${name}: a question that was given up ends; a closed index says so`, async () => {
    const archive = await make();
    await archive.add([page("a", "word", { mime: "text/plain" })]);
    const question: Question = {
      groups: [[{ kind: "words", field: "any", text: "word", exact: false }]],
      ...{ excluded: [], filters: [], excludedFilters: [], from: undefined, to: undefined },
      scopes: [{ name: "web", cutoff: undefined, exclude: [] }],
    };
    expect((await archive.index.match(question, AbortSignal.timeout(60_000))).total).toBe(1);
    await expect(archive.index.match(question, AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
    await archive[Symbol.asyncDispose]();
    await expect(archive.index.match(question, AbortSignal.timeout(60_000))).rejects.toMatchObject({ code: "CLOSED" });
  });
}
