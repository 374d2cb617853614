/** Two releases in one cluster: the README's commands install them side by side, and no object is both's. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../../test/cluster/api-server.ts";
import { envFor } from "../../test/cluster/kind.mjs";
import { output } from "../../test/run/command.mjs";
import { type Manifest, renderRelease } from "../../test/testkit/chart.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ACCOUNTS = ["archive-operator", "archive-blue"].map(
  (namespace) => `system:serviceaccount:${namespace}:archive-operator`,
);
let server: ApiServer;

beforeAll(async () => {
  server = await startApiServer({ signal: AbortSignal.timeout(150_000) });
});
afterAll(async () => {
  await server.stop();
});

const shell = (commands: string) =>
  output("bash", ["-euc", commands], { cwd: ROOT, env: envFor(server.kubeconfigPath) });

/** The block of shell lines below the heading. */
async function readmeCommands(heading: string): Promise<string> {
  const text = await readFile(new URL("../archive-operator/README.md", import.meta.url), "utf8");
  const [, commands] = /```sh\n(.*?)```/s.exec(text.slice(text.indexOf(`\n## ${heading}\n`))) ?? [];
  if (commands === undefined) throw new Error(`the README has no commands below "${heading}"`);
  return commands;
}

it("the README's commands install both; each lets the other write discovered peers", async () => {
  const commands = await readmeCommands("Two operators");
  expect(commands.match(/^helm install/gm)).toHaveLength(2);
  await shell(commands);
  for (const namespace of ["archive-operator", "archive-blue"]) {
    expect(await shell(`helm list -n ${namespace} --short`)).toBe("archive-operator");
    const policy = `validatingadmissionpolicy/${namespace}-archive-operator-discovered-peers`;
    const conditions = await shell(`kubectl get ${policy} -o jsonpath='{.spec.matchConditions}'`);
    for (const account of ACCOUNTS) expect(conditions).toContain(account);
  }
});

it("without crds.enabled=false a further one is refused, as the kinds are the first one's", async () => {
  const install = "helm install archive-operator charts/archive-operator -n archive-red --create-namespace";
  await expect(shell(`${install} --set className=red`)).rejects.toThrow(
    /CustomResourceDefinition .* exists and cannot be imported/,
  );
});

it.each([
  ["of the same name in two namespaces", { name: "archive-operator", namespace: "archive-blue" }],
  ["of two names in one namespace", { name: "blue", namespace: "archive-system" }],
])("releases %s have no object in common but kinds", async (_name, second) => {
  const places = (manifests: readonly Manifest[]) =>
    manifests.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
  const everything = ["metrics.secure.enabled=true", "metrics.alerts.enabled=true", "metrics.dashboard.enabled=true"];
  const first = await renderRelease({ name: "archive-operator", namespace: "archive-system" }, everything);
  const other = await renderRelease(second, [...everything, "className=blue", "crds.enabled=false"]);
  expect(other.length).toBeGreaterThan(15);
  const all = places([...first, ...other]);
  expect(all.filter((place, index) => all.indexOf(place) !== index)).toEqual([]);
});
