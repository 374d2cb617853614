import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { FullTextError } from "../fulltext/errors.ts";
import { SearchError } from "../search/errors.ts";
import { StorageError } from "../storage/errors.ts";
import { toProblem } from "./error-mapping.ts";
import { HttpProblem, PROBLEMS, problemDocument } from "./problem.ts";

class IngestError extends Error {
  override readonly name = "IngestError";
  readonly code = "DIGEST_MISMATCH";
}

test("every code makes a complete document", () => {
  for (const [code, { status, title }] of Object.entries(PROBLEMS)) {
    const problem = new HttpProblem(code as keyof typeof PROBLEMS, "why", { retryAfterMs: 5 });
    expect(problemDocument(problem, "id")).toMatchObject({
      type: `urn:asfp:problem:${code}`,
      title,
      status,
      detail: "why",
      instance: "id",
      code,
      retry_after_ms: 5,
    });
  }
});

test("domain errors are known by class and code, never by message", () => {
  expect(toProblem(new IngestError("anything"))).toMatchObject({ code: "digest-mismatch" });
  expect(toProblem(Object.assign(new Error("x"), { code: "ENOSPC" }))).toMatchObject({ code: "storage-full" });
  expect(toProblem(AbortSignal.timeout(0).reason ?? new DOMException("x", "TimeoutError"))).toMatchObject({
    code: "deadline-exceeded",
  });
});

test("what is refused for a while says when to come back, and what an index cannot answer says why", () => {
  expect(toProblem(new SearchError("OVERLOADED", "x", { waiting: 9 })).retryAfterMs).toBe(2_000);
  expect(new HttpProblem("draining", "x").retryAfterMs).toBe(30_000);
  expect(new HttpProblem("internal", "x").retryAfterMs).toBeUndefined();
  expect(toProblem(new FullTextError("INDEX_DAMAGED", { file: "fulltext.db" }))).toMatchObject({
    code: "storage-unavailable",
    message: expect.stringMatching(/fulltext\.db.*ask again later/) as string,
  });
  expect(toProblem(new StorageError("INDEX_SLOW", { afterMs: 60_000 }))).toMatchObject({
    code: "storage-unavailable",
    message: expect.stringContaining("within 60 s") as string,
  });
  const bug = toProblem(new StorageError("WORKER_FAILED", { worker: "catalog reader", reason: "secret" }));
  expect([bug.code, bug.message.includes("secret")]).toEqual(["internal", false]);
});

test("an unknown error tells the client nothing of itself", () => {
  const problem = toProblem(new Error("/secret/path leaked"));
  expect(problem.code).toBe("internal");
  expect(problem.message).not.toContain("secret");
  expect(toProblem("a string").code).toBe("internal");
});

test("the page of problems lists each with its status, whether it passes, and what to do", async () => {
  const page = await readFile(new URL("../../problems.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z-]+)`\s*\| (\d+)\s*\| (yes|no)\s*\| (.+?)\s*\|$/gm)];
  expect(rows.map(([, code, status, retryable]) => [code, Number(status), retryable === "yes"])).toEqual(
    Object.entries(PROBLEMS).map(([code, { status, retryable }]) => [code, status, retryable]),
  );
  for (const [, code, , , step] of rows) expect(step, code).toMatch(/^.{15,}\.$/);
});

test("every title is a sentence of its own that names no single cause among several", () => {
  const titles = Object.values(PROBLEMS).map(({ title }) => title);
  expect(new Set(titles).size).toBe(titles.length);
  for (const title of titles) expect(title).toMatch(/^[A-Z][^.]+$/);
});

test("every error of the volume and the indexes becomes a problem with its own words", () => {
  const codes = [
    "INDEX_DAMAGED",
    "INDEX_NEWER",
    "INDEX_LOCKED",
    "DISK_READ_ONLY",
    "DISK_FAILED",
    "HANDLES_EXHAUSTED",
    "BLOB_MISSING",
  ] as const;
  for (const code of codes) {
    const error = new StorageError(code, {
      file: "catalog.db",
      reason: "why",
      hash: "ab",
      version: 2,
      known: 1,
    } as never);
    expect(toProblem(error), code).toMatchObject({ code: "storage-unavailable", message: error.message });
    expect(error.message, "what to do").toMatch(/: .*(run|check|restore|end) /);
  }
});
