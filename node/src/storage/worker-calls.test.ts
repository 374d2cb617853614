import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { tempDir } from "../../../test/testkit/temp-dir.ts";
import { WorkerCalls } from "./worker-calls.ts";

const ANSWERING = new URL("./worker-calls.ts", import.meta.url).href;

async function callsOf(source: string) {
  const dir = await tempDir("worker");
  const file = join(dir.path, "thread.mjs");
  await writeFile(file, source);
  const calls = new WorkerCalls<{ readonly ask: (input: string) => string }>({
    ...{ url: pathToFileURL(file), name: "asked", workerData: undefined },
  });
  return {
    calls,
    [Symbol.asyncDispose]: async () => {
      await calls.close();
      await dir.remove();
    },
  };
}

const signal = AbortSignal.timeout(20_000);

test("a thread that cannot be loaded is told from one that ends at what it was given", async () => {
  await using broken = await callsOf('import { nothing } from "node:fs"; nothing();');
  await expect(broken.calls.call("ask", "", signal)).rejects.toMatchObject({ code: "WORKER_UNSTARTED" });
  const answers = `import { answerCalls } from ${JSON.stringify(ANSWERING)};`;
  await using ending = await callsOf(
    `${answers} answerCalls({ ask: (word) => word === "die" ? process.exit(3) : word + "!" }, { name: "asked", file: "", close: () => {} });`,
  );
  expect(await ending.calls.call("ask", "live", signal)).toBe("live!");
  await expect(ending.calls.call("ask", "die", signal)).rejects.toMatchObject({ code: "WORKER_LOST" });
  expect(await ending.calls.call("ask", "again", signal)).toBe("again!");
});
