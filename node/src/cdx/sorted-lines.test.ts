import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { LineSorter } from "./sorted-lines.ts";

test("more lines than memory come out sorted by bytes, once each, and no file is left", async () => {
  await using folder = await tempDir("sort");
  const lines = Array.from({ length: 5000 }, (_, index) => `line ${(index * 7919) % 4001} ü`);
  const sorted: string[] = [];
  {
    await using sorter = new LineSorter({ folder: folder.path, runChars: 500 });
    for (const line of lines) await sorter.add(line);
    for await (const line of sorter.sorted()) sorted.push(line);
  }
  const expected = [...new Set(lines)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect(sorted).toEqual(expected);
  expect(await readdir(folder.path)).toEqual([]);
});
