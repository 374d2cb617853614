/** A cluster that was taken down leaves the machine as it was; one beside it stays untouched. */
import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { clusterDown, clusterUp } from "../cluster/kind.mjs";
import { output, succeeds } from "../run/command.mjs";
import { waitUntil } from "../testkit/wait-until.ts";

const NAME = "archive-other";

/** What the kernel holds for containers, as lines: compared before and after, so counters are left out. */
async function machineState(): Promise<Set<string>> {
  const folder = async (path: string) => (await readdir(path).catch(() => [])).map((name) => `${path}/${name}`);
  const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").map((line) => line.split(" ")[4]);
  const cgroups = (await output("find", ["/sys/fs/cgroup", "-type", "d", "-name", "libpod*"])).split("\n");
  const rules = (await output("iptables-save", [])).split("\n").filter((line) => line.startsWith("-A "));
  const programs = (await output("ps", ["-eo", "args"])).split("\n");
  return new Set([
    ...(await folder("/sys/class/net")),
    ...(await folder("/run/netns")),
    ...(await folder("/sys/block")).filter((path) => path.includes("loop")),
    ...mounts.map((path) => `mount ${path}`),
    ...cgroups,
    ...rules,
    ...programs.filter((line) => /^\S*(conmon|aardvark-dns)\b/.test(line)),
  ]);
}

const without = (some: Set<string>, others: Set<string>) => [...some].filter((line) => !others.has(line)).sort();

test.skipIf(process.env["ARCHIVE_TEST_KUBECONFIG"])(
  "taken down, a cluster has left nothing on the machine",
  async () => {
    await clusterDown(NAME); // a run that was cut short may have left it
    const before = await machineState();
    const { env, kubeconfig } = await clusterUp(NAME);
    expect(await succeeds("kubectl", ["get", "node", `${NAME}-control-plane`], { env })).toBe(true);
    const added = without(await machineState(), before);
    for (const kind of [/^mount /m, /conmon/, /libpod/, /^-A /m]) expect(added.join("\n")).toMatch(kind);

    await clusterDown(NAME);
    await waitUntil(
      "nothing of the cluster to be left",
      async () => {
        const left = without(await machineState(), before);
        if (left.length > 0) throw new Error(`there are\n${left.join("\n")}`);
        return true;
      },
      { deadlineMs: 60_000, everyMs: 500 },
    );
    await expect(readFile(kubeconfig)).rejects.toThrow("ENOENT");
  },
);
