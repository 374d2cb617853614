import { expect, test } from "vitest";
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

test("an unknown error tells the client nothing of itself", () => {
  const problem = toProblem(new Error("/secret/path leaked"));
  expect(problem.code).toBe("internal");
  expect(problem.message).not.toContain("secret");
  expect(toProblem("a string").code).toBe("internal");
});
