/**
 * What podman leaves on the machine when its last cluster is gone: frames of firewall rules, cgroups, folders below
 * /run, all empty. They are removed only while empty, and podman makes them anew, so a person's own podman may come in
 * between. Node 20, no dependencies.
 */
import { readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { output, succeeds } from "../run/command.mjs";

const CGROUPS = "/sys/fs/cgroup";
/** Chains that hold the rules of single containers. With one of these in use, all of it is. */
const PER_CONTAINER = ["NETAVARK_FORWARD", "NETAVARK-HOSTPORT-DNAT"];
/** Added whatever runs: jumps into netavark's chains, and the marks for published ports. */
const FRAME = /(-j NETAVARK[\w-]+|-m mark --mark 0x2000\/0x2000 -j MASQUERADE|-j MARK --set-xmark 0x2000\/0x2000)$/;

/** The rules of one table in the form that `iptables` takes, and netavark's chains in it. */
async function netavarkRules(table) {
  const lines = (await output("iptables-save", ["-t", table])).split("\n");
  const rules = lines.filter((line) => line.startsWith("-A ") && line.includes("NETAVARK"));
  const chains = lines.map((line) => /^:(NETAVARK\S*)/.exec(line)?.[1]).filter((name) => name !== undefined);
  return { table, rules, chains };
}

const isOfContainer = (rule) => PER_CONTAINER.some((chain) => rule.startsWith(`-A ${chain} `)) || !FRAME.test(rule);

async function removeFirewallFrames() {
  const tables = await Promise.all(["filter", "nat"].map(netavarkRules));
  if (tables.some(({ rules }) => rules.some(isOfContainer))) return;
  for (const { table, rules, chains } of tables) {
    // As a script for one shell call per table: the rules carry quotes.
    const deletions = rules.map((rule) => `iptables -t ${table} ${rule.replace("-A", "-D")}`);
    await output("bash", [
      "-ec",
      [...deletions, ...chains.map((name) => `iptables -t ${table} -X ${name}`)].join("\n"),
    ]);
  }
}

/** Fails on a folder with anything in it; on a cgroup, with any process. */
function removeIfEmpty(path) {
  try {
    rmdirSync(path);
  } catch {
    // in use, or not there
  }
}

function removeCgroups() {
  const hierarchies = readdirSync(CGROUPS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const root of [CGROUPS, ...hierarchies.map(({ name }) => join(CGROUPS, name))]) {
    removeIfEmpty(join(root, "libpod_parent/conmon"));
    removeIfEmpty(join(root, "libpod_parent"));
  }
}

/** `runFolder` is our own below /run. */
export async function removeLeftovers(runFolder) {
  await removeFirewallFrames();
  removeCgroups();
  if (readdirSync("/run/netns", { withFileTypes: true }).length === 0) await succeeds("umount", ["/run/netns"]);
  rmSync(runFolder, { recursive: true, force: true });
}
