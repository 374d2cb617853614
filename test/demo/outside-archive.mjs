/**
 * The third archive of the demo: a process on this machine, outside the cluster, that was told one address of the
 * federation. Node 20, no dependencies.
 */
import { rmSync } from "node:fs";
import { signalChild, startChild } from "../run/children.mjs";
import { ROOT } from "../run/dependencies.mjs";
import { PlainError } from "../run/steps.mjs";
import { OUTSIDE_COMMANDS, OUTSIDE_FOLDER, preamble } from "./reader-commands.mjs";

const READY_MS = 60_000;

/**
 * Starts it from an empty folder with the command that the demo prints.
 *
 * @returns {Promise<{nodeId: string, stop: () => Promise<void>}>} once it answers
 * @throws {PlainError} it ends, or does not answer in time; with what it printed
 */
export async function startOutsideArchive(cluster, namespace) {
  rmSync(OUTSIDE_FOLDER, { recursive: true, force: true });
  const [here, serve] = OUTSIDE_COMMANDS;
  const script = `set -euo pipefail\n${preamble(cluster, namespace)}\n${here}\nexec ${serve}`;
  const options = { cwd: ROOT, env: { ...process.env, ...cluster.env }, stdio: ["ignore", "pipe", "pipe"] };
  const child = startChild("bash", ["-c", script], options);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let printed = "";
  const nodeId = await new Promise((resolve, reject) => {
    const fail = (why) => reject(new PlainError(`The archive outside the cluster ${why}:\n${printed}`));
    const timer = setTimeout(() => fail("did not answer in time"), READY_MS);
    const look = (chunk) => {
      printed += chunk;
      const id = /^archive-node ready .*node=([0-9a-f]{64})/m.exec(printed)?.[1];
      if (id === undefined) return;
      clearTimeout(timer);
      resolve(id);
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", look);
    exited.then((code) => fail(`ended with ${code}`));
  });
  return {
    nodeId,
    stop: async () => {
      signalChild(child, "SIGTERM");
      await exited;
    },
  };
}
