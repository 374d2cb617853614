import { expect, test } from "vitest";
import { ROOT } from "./dependencies.mjs";
import { missingMapPaths } from "./map-paths.mjs";

test("a path that is not there is found, one that is there is not", () => {
  const text = "`test/run/all.mjs` and `test/run/gone.mjs`, `node/src/` and `npm test`";
  expect(missingMapPaths(text, ROOT)).toEqual(["test/run/gone.mjs"]);
});

test("a page without any path does not pass by saying nothing", () => {
  expect(missingMapPaths("no code spans here", ROOT)).toEqual(["(no path at all)"]);
});
