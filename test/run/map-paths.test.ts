import { expect, test } from "vitest";
import { ROOT } from "./dependencies.mjs";
import { missingLinks, missingMapPaths } from "./map-paths.mjs";

test("a path that is not there is found, one that is there is not", () => {
  const text = "`test/run/all.mjs` and `test/run/gone.mjs`, `node/src/` and `npm test`";
  expect(missingMapPaths(text, ROOT)).toEqual(["test/run/gone.mjs"]);
});

test("a page without any path does not pass by saying nothing", () => {
  expect(missingMapPaths("no code spans here", ROOT)).toEqual(["(no path at all)"]);
});

test("links are followed from the page they are on; the web and the page itself are not looked at", () => {
  const text =
    "[a](all.mjs) [b](../run/gone.md#part) [c](https://example.org/x) [d](#here) [e](../../LICENSE) `[f](g)`";
  expect(missingLinks(text, "test/run/page.md", ROOT)).toEqual(["test/run/page.md -> test/run/gone.md"]);
});
